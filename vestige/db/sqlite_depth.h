// How deep an expression is, as SQLite counts: a connection may limit it (https://www.sqlite.org/security.html).
// Test: sqlite_depth_test.cc.
#pragma once

#include <string>

#include "vestige/base/result.h"

namespace vestige {

/// Whether an expression is deeper than so much. What it names need not be there.
Result<bool> deeper_than(const std::string& expression, int depth);

}  // namespace vestige
