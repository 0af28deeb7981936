// Cleared: what a policy kept out of the trail, and the next one would let into it. Test: policy_test.cc.
#pragma once

#include <string>
#include <vector>

#include "vestige/record/policy.h"

namespace vestige {

/// The columns that `before` redacts or encrypts and `after` would record in clear.
///
/// any_case  names that differ in the case of letters are one column's
std::vector<std::string> cleared(const Policy& before, const Policy& after, bool any_case);

/// A list has a column.
bool names_column(const std::vector<std::string>& list, const std::string& column, bool any_case);

}  // namespace vestige
