// The rules in vestige.toml: [[rule]] and [alerts] (docs/rules.md). Test: rule_file_test.cc.
#pragma once

#include <string>
#include <vector>

#include "vestige/base/toml_file.h"
#include "vestige/rules/rule.h"

namespace vestige {

/// Reads and checks them. Names of tables and columns are those that somebody wrote: see resolve_rules.
///
/// file     the whole of it
/// folder   in which files that it names are looked for; empty: this one
/// faults   invalid, missing: with the place of what is wrong
Result<std::vector<Rule>> read_rules(const Toml& file, const std::string& folder);

/// "90s", "15m", "1h", "30d", "2w" in microseconds.
///
/// faults   invalid
Result<std::int64_t> parse_period(std::string_view text);

}  // namespace vestige
