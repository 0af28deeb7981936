// A section of a report as CSV.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "vestige/report/report.h"

namespace vestige::server {

/// Gives the head and the rows of a section, as fields (csv.h), until nobody wants more.
///
/// section  "": the first that has rows
/// faults   invalid: it has no such section; offline
Result<void> report_csv(Report& report, const std::string& section,
                        const std::function<bool(const std::vector<std::string>&)>& record);

}  // namespace vestige::server
