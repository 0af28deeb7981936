// The user of this system.
#pragma once

#include <string>

namespace vestige::cli {

/// By name; where it has none, by number.
std::string login();

}  // namespace vestige::cli
