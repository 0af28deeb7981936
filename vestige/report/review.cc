// review: which sign-offs there are, and of what; and which alerts nobody has dealt with (PCI DSS 10.4, SOC 2).
#include "vestige/trail/review.h"

#include "vestige/report/reports.h"

namespace vestige {
namespace {

Cell time_or_none(const std::optional<std::int64_t>& at) {
  return at.has_value() ? time_cell(*at) : Cell();
}

}  // namespace

Result<void> report_review(Database& db, const ReportRequest& request, Report& report) {
  const auto population = TRY(Population::of_own_table(db, request, report, "review"));
  const std::size_t place = report.add({.name = "reviews",
                                        .title = "Sign-offs",
                                        .columns = {{"signed", "signed", CellKind::time},
                                                    {"change", "change", CellKind::number},
                                                    {"report", "report"},
                                                    {"filter", "filter"},
                                                    {"from", "from", CellKind::time},
                                                    {"to", "to", CellKind::time},
                                                    {"reviewer", "reviewer"},
                                                    {"verdict", "verdict"},
                                                    {"comment", "comment"},
                                                    {"report_hash", "SHA-256 of the report"},
                                                    {"who", "by the trail"}}});
  std::int64_t signed_off = 0;
  std::int64_t exceptions = 0;
  while (const auto change = TRY(population->next())) {
    if (change->op != Op::insert) continue;
    const Review one = review_of(*change);
    ++signed_off;
    if (one.verdict != "in-order") ++exceptions;
    TRY(report.row(place, {time_cell(one.at), number_cell(one.change), text_cell(one.report),
                           text_cell(one.filter), time_or_none(one.from), time_or_none(one.upto),
                           text_cell(one.reviewer), text_cell(one.verdict), text_cell(one.comment),
                           text_cell(one.report_hash), text_cell(one.who.value_or(""))}));
  }
  report.section(place).text =
      fmt::format("{} sign-offs, {} with exceptions.", signed_off, exceptions);
  const auto alerts = TRY(open_alerts(db, report.head.made_at));
  const std::size_t open = report.add({.name = "alerts",
                                       .title = "Open alerts",
                                       .text = fmt::format("{} alerts are open.", alerts.size()),
                                       .columns = {{"alert", "alert"},
                                                   {"severity", "severity"},
                                                   {"title", "title"},
                                                   {"opened", "opened", CellKind::time}},
                                       .bad = !alerts.empty()});
  for (const OpenAlert& one : alerts)
    TRY(report.row(open, {text_cell(one.id), text_cell(one.severity), text_cell(one.title),
                          time_cell(one.since)}));
  return {};
}

}  // namespace vestige
