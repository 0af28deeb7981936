// What rules compute with, and the functions that expressions have besides SQLite's: pct, in_cidr, local_hour, weekday.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vestige/base/zone.h"
#include "vestige/db/sqlite_expressions.h"

namespace vestige {

/// A value as a double; nothing where it is no number.
std::optional<double> number_of(const Value* value);

/// True when an address, of either kind, is within a net: "10.0.0.0/8", "2001:db8::/32"; nothing where either cannot be read.
std::optional<bool> in_net(std::string_view address, std::string_view net);

/// pct(a, b): by how many percent b is more than a. in_cidr(ip, net). local_hour(at): 0 to 23, and weekday(at): 1, Monday, to 7, on
/// the clock of a zone, which outlives them.
std::vector<ExpressionFunction> rule_functions(const TimeZone& zone);

}  // namespace vestige
