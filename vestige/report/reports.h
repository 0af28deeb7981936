// The reports that there are: each is one file with one function, and one line of the table.
#pragma once

#include <span>
#include <string_view>

#include "vestige/report/population.h"

namespace vestige {

struct ReportKind {
  std::string_view name;
  std::string_view title;
  std::string_view summary;  // one line, for help
  Result<void> (*make)(Database&, const ReportRequest&, Report&);
  bool takes_words = false;  // behind its name
};

/// Every report, in the order in which help lists them.
std::span<const ReportKind> reports();

/// Makes a report: what it says itself, and what verify found where the trail is not sound. Finished.
///
/// report   its head says who made it, when, and under which title
/// faults   as the report's function
Result<void> make_report(const ReportKind& kind, Database& db, const ReportRequest& request,
                         Report& report);
/// The same of one of vestige.toml, by its name there.
Result<void> make_own_report(const std::string& name, Database& db, const ReportRequest& request,
                             Report& report);

/// nullptr where there is none of that name
const ReportKind* find_report(std::string_view name);

// Report functions fill the head (population.h does) and add their sections.
// faults   missing, invalid (what they need was not said), offline, corrupt

Result<void> report_access(Database& db, const ReportRequest& request, Report& report);
Result<void> report_disclosures(Database& db, const ReportRequest& request, Report& report);
Result<void> report_subject(Database& db, const ReportRequest& request, Report& report);
Result<void> report_review(Database& db, const ReportRequest& request, Report& report);
Result<void> report_changes(Database& db, const ReportRequest& request, Report& report);
Result<void> report_daily(Database& db, const ReportRequest& request, Report& report);
Result<void> report_integrity(Database& db, const ReportRequest& request, Report& report);
Result<void> report_privileged(Database& db, const ReportRequest& request, Report& report);
Result<void> report_retention(Database& db, const ReportRequest& request, Report& report);
Result<void> report_field_history(Database& db, const ReportRequest& request, Report& report);
/// One of vestige.toml.
Result<void> report_own(Database& db, const ReportRequest& request, const OwnReport& own,
                        Report& report);

}  // namespace vestige
