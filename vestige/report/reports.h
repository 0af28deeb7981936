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
};

/// Every report, in the order in which help lists them.
std::span<const ReportKind> reports();

/// Makes a report: what it says itself, and what verify found where the trail is not sound. Finished.
///
/// report   its head says who made it, when, and under which title
/// faults   as the report's function
Result<void> make_report(const ReportKind& kind, Database& db, const ReportRequest& request,
                         Report& report);

/// nullptr where there is none of that name
const ReportKind* find_report(std::string_view name);

// Report functions fill the head (population.h does) and add their sections.
// faults   missing, invalid (what they need was not said), offline, corrupt

Result<void> report_changes(Database& db, const ReportRequest& request, Report& report);

}  // namespace vestige
