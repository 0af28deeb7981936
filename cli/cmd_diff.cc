// diff: what differs in a row between two moments.
#include "cli/change_text.h"
#include "cli/session.h"
#include "vestige/audit/diff.h"
#include "vestige/base/json.h"
#include "vestige/trail/changes.h"

namespace vestige::cli {
namespace {

void print_json(Output& output, const Diff& diff) {
  const auto state = [](const State& row) { return row.has_value() ? to_json(*row) : "null"; };
  std::string differences;
  for (const Difference& one : diff.differences) {
    if (!differences.empty()) differences += ',';
    differences += "{\"column\":" + text_json(one.column);
    if (one.from.has_value()) differences += ",\"from\":" + to_json(*one.from);
    if (one.to.has_value()) differences += ",\"to\":" + to_json(*one.to);
    differences += '}';
  }
  output.json(fmt::format(R"({{"table":{},"key":{},"from":{},"to":{},"differences":[{}]}})",
                          text_json(diff.table), to_json(diff.key), state(diff.from),
                          state(diff.to), differences));
}

void print_csv(Output& output, const Diff& diff) {
  output.csv({"column", "from", "to"});
  const auto side = [](const std::optional<Value>& value) {
    return value.has_value() ? csv_field(*value) : "";
  };
  for (const Difference& one : diff.differences)
    output.csv({csv_text(one.column), side(one.from), side(one.to)});
}

void print_text(Output& output, const Diff& diff) {
  output.line({{Label::name, diff.table + " " + key_text(diff.key)}});
  if (!diff.from.has_value()) output.line({{Label::faint, "  the row was not there before"}});
  if (!diff.to.has_value()) output.line({{Label::faint, "  the row was not there afterwards"}});
  for (const Difference& one : diff.differences) {
    Pair pair = {one.from.has_value() ? value_text(*one.from) : "",
                 one.to.has_value() ? value_text(*one.to) : ""};
    if (one.from.has_value() && one.to.has_value()) pair = pair_text(*one.from, *one.to);
    if (one.from.has_value())
      output.line({{Label::before, "  - " + one.column + ": " + pair.before}});
    if (one.to.has_value()) output.line({{Label::after, "  + " + one.column + ": " + pair.after}});
  }
}

Result<int> run_diff(Session& session) {
  const Arguments& arguments = session.arguments();
  if (!arguments.has("--from"))
    return hinted(fail(Fault::invalid, "diff: --from is missing"),
                  "give a moment: --from 3, --from 2026-01-01, --from 7d, --from last~3");
  const Moment from = TRY(session.moment(arguments.text("--from")));
  const Moment to = TRY(session.moment(arguments.value("--to").value_or("now")));
  Database& db = *TRY(session.database());
  const Diff found = TRY(diff(db, arguments.words().front(), arguments.words_from(1), from, to));
  session.output().long_text();
  if (session.format() == Format::json) {
    print_json(session.output(), found);
  } else if (session.format() == Format::csv) {
    print_csv(session.output(), found);
  } else if (!found.differences.empty()) {
    print_text(session.output(), found);
  }
  if (!found.from.has_value() && !found.to.has_value())
    session.say("the row was not there at either moment");
  else if (found.differences.empty()) session.say("no difference");
  TRY(session.say_limits(found.table, from));
  return kDone;
}

}  // namespace

Command diff_command() {
  return {.name = "diff",
          .group = "look",
          .summary = "what differs in a row between two moments",
          .arguments = "TABLE KEY…",
          .least = 2,
          .most = kAny,
          .about =
              {"A moment is a change id (the row just after that change), a time (see log), now, "
               "last (just after the last change), or tx:12 (just after that transaction). ~ goes "
               "back: 17~ is just before change 17, tx:12~ just before the transaction, last~3, or "
               "~3 alone, three changes before the last."},
          .options = {{.names = "--from", .value = "MOMENT", .summary = "the earlier moment"},
                      {.names = "--to",
                       .value = "MOMENT",
                       .summary = "the later moment; now, unless it is given"},
                      format_option()},
          .examples = {{"vestige diff products 1 --from 3 --to 17", "between two changes"},
                       {"vestige diff products 1 --from 7d", "since a week ago"},
                       {"vestige diff products 1 --from tx:12~ --to tx:12",
                        "what a transaction did to it"}},
          .run = run_diff};
}

}  // namespace vestige::cli
