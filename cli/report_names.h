// The reports by their names: those that are built in, and those of vestige.toml. What `report` and `review` have in common.
#pragma once

#include <string>

#include "vestige/report/reports.h"

namespace vestige::cli {

/// [report] of the vestige.toml that counts here; where there is none, what holds without it.
///
/// faults   invalid (the file is not right)
Result<ReportSettings> planned_reports();

/// nullptr: it is one of vestige.toml
///
/// faults   invalid: none has that name
Result<const ReportKind*> report_called(const std::string& name, const ReportSettings& settings);

}  // namespace vestige::cli
