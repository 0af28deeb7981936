// doctor: what is out of order, what that means, and repairs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vestige/trail/upkeep.h"

namespace vestige {

/// note, warning, error
std::string_view name(Severity severity);

/// One object (docs/json.md).
std::string to_json(const Finding& finding);

/// Examines the trail; with `fix`, repairs what is safe in one transaction.
///
/// returns  findings, gravest first; those that were repaired have fixed = true
/// faults   missing: no trail here
Result<std::vector<Finding>> doctor(Database& db, bool fix);

}  // namespace vestige
