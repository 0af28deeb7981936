#include "vestige/report/reports.h"

#include <algorithm>
#include <array>

namespace vestige {
namespace {

constexpr auto kReports = std::to_array<ReportKind>({
    {"changes", "Changes", "every change of every value: old, new, who, why, approved by whom",
     report_changes},
    {"daily", "Daily report",
     "the changes of a field of numbers (--field accounts.balance) by business process and "
     "session, the largest, "
     "what stands out, and whether every old value is what was there",
     report_daily},
    {"integrity", "Integrity", "what verify finds, checkpoints, gaps and erasures",
     report_integrity},
    {"privileged", "Privileged access",
     "what users of the database did that are no applications, and changes of policies",
     report_privileged},
    {"retention", "Retention", "by class: how long it is kept, how much there is, and what is due",
     report_retention},
    {"field", "A field over time", "what one column of a row held (TABLE KEY… COLUMN), drawn",
     report_field_history, true},
    {"access", "Accesses", "who was shown what and who changed what, a line each", report_access},
    {"disclosures", "Disclosures", "what was disclosed to whom, and what for", report_disclosures},
    {"subject", "Data of a person",
     "what is recorded of one row, what was done to it, who looked at it and what was erased, "
     "without the names of who did it (TABLE KEY…)",
     report_subject, true},
    {"review", "Reviews", "which periods were signed off, and which alerts are open",
     report_review},
});

// What is not as it was sealed, whatever the report is about.
Result<void> add_findings(const Verified& verified, Report& report) {
  if (verified.found == 0) return {};
  const std::size_t section =
      report.add({.name = "findings",
                  .title = "What is not as it was sealed",
                  .text = fmt::format("{} found by verify; here are the first {}.", verified.found,
                                      verified.findings.size()),
                  .columns = {{"finding", "finding"},
                              {"change", "change", CellKind::number},
                              {"table", "table"},
                              {"message", "message"}},
                  .bad = true});
  for (const Verified::Finding& one : verified.findings)
    TRY(report.row(section,
                   {text_cell(one.code), one.change.has_value() ? number_cell(*one.change) : Cell(),
                    text_cell(one.table), text_cell(one.message)}));
  return {};
}

}  // namespace

Result<void> make_report(const ReportKind& kind, Database& db, const ReportRequest& request,
                         Report& report) {
  report.head.name = kind.name;
  if (report.head.title.empty()) report.head.title = kind.title;
  TRY(kind.make(db, request, report));
  if (request.verified.has_value()) TRY(add_findings(*request.verified, report));
  return report.finish();
}

Result<void> make_own_report(const std::string& name, Database& db, const ReportRequest& request,
                             Report& report) {
  const OwnReport& own = request.settings.own.at(name);
  report.head.name = name;
  if (report.head.title.empty()) report.head.title = own.title.empty() ? name : own.title;
  TRY(report_own(db, request, own, report));
  if (request.verified.has_value()) TRY(add_findings(*request.verified, report));
  return report.finish();
}

std::span<const ReportKind> reports() { return kReports; }

const ReportKind* find_report(std::string_view name) {
  const auto found = std::find_if(kReports.begin(), kReports.end(),
                                  [&](const ReportKind& kind) { return kind.name == name; });
  return found == kReports.end() ? nullptr : &*found;
}

}  // namespace vestige
