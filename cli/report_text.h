// A report for a terminal, and as CSV.
#pragma once

#include <string>

#include "cli/output.h"
#include "vestige/report/report.h"

namespace vestige::cli {

/// Its head in a few lines, and each section as a table.
Result<void> print_report(Output& output, Report& report);

/// The rows of one section.
///
/// section  by its name; "": the first that has rows or could have
/// faults   invalid (there is none of that name)
Result<void> print_report_csv(Output& output, Report& report, const std::string& section);

}  // namespace vestige::cli
