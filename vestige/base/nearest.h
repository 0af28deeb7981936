// The name that was meant, for "did you mean". Test: nearest_test.cc.
#pragma once

#include <string>
#include <vector>

namespace vestige {

/// The nearest of `names` to what was typed; empty when none is near.
std::string nearest(const std::string& typed, const std::vector<std::string>& names);

}  // namespace vestige
