// The one style sheet of reports in HTML.
#pragma once

#include <string_view>

namespace vestige {

inline constexpr std::string_view kReportStyle = R"css(
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1b1f24; --soft: #4d5663; --line: #c9d0d9; --band: #f2f5f8;
  --good: #0b6b36; --bad: #a3141e; --bad-ground: #fdecec; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181d; --ink: #e7ebf0; --soft: #a9b4c2; --line: #3b4654;
  --band: #1d232b; --good: #6bd49a; --bad: #ff9a9a; --bad-ground: #3a1a1d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 100rem; padding: 1.5rem; background: var(--ground); color: var(--ink);
  font: 15px/1.45 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .25rem; }
p { margin: .25rem 0 .75rem; max-width: 80ch; }
.verdict { border-left: .3rem solid var(--good); padding: .4rem .8rem; background: var(--band); max-width: none; }
.verdict.bad, .bad > p { border-left: .3rem solid var(--bad); padding: .4rem .8rem; background: var(--bad-ground);
  color: var(--bad); font-weight: 600; max-width: none; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 1rem 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 12.5px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .3rem; }
.scroll:focus-visible { outline: .15rem solid var(--ink); outline-offset: .15rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .4rem .6rem; color: var(--soft); }
th, td { padding: .3rem .6rem; text-align: start; vertical-align: top; border-top: 1px solid var(--line); }
thead th { background: var(--band); white-space: nowrap; }
tbody tr:nth-child(even) { background: var(--band); }
td { max-width: 45ch; overflow-wrap: break-word; white-space: pre-wrap; }
td.n, th.n { text-align: end; white-space: nowrap; }
td.t { white-space: nowrap; }
svg { max-width: min(100%, 56rem); height: auto; background: #ffffff; border-radius: .3rem; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); }
@page { size: A4 landscape; margin: 14mm 12mm 16mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 9pt sans-serif; color: #444444; } }
@media print { :root { color-scheme: light; --ground: #ffffff; --ink: #000000; --soft: #444444; --line: #999999;
    --band: #f4f4f4; --good: #0b6b36; --bad: #8a0f18; --bad-ground: #ffffff; }
  body { padding: 0; max-width: none; font-size: 9pt; }
  .scroll { overflow: visible; border: 0; }
  thead { display: table-header-group; }
  tr, dl, pre { break-inside: avoid; }
  h2 { break-after: avoid; }
  table { font-size: 7.5pt; }
  td { max-width: none; min-width: 9ch; overflow-wrap: anywhere; }
  th, td { padding: .15rem .35rem; }
  thead th { white-space: normal; } }
)css";

}  // namespace vestige
