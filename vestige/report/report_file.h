// [report] of vestige.toml. Test: report_file_test.cc.
#pragma once

#include "vestige/base/toml_file.h"
#include "vestige/report/population.h"

namespace vestige {

/// faults   invalid (with line and column, and the nearest known name)
Result<ReportSettings> read_report_settings(const Toml& table);

}  // namespace vestige
