// Health: whether the trail itself is in trouble, for rules of kind health: capture that does not stand as it should, a sealer that
// is behind. Found by looking, not by changes. Test: test/watch_test.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/rules/rule.h"

namespace vestige {

struct Trouble {
  std::string what;   // "capture-disabled", "sealer-lag"
  std::string table;  // empty: the whole trail
  std::string text;   // in a sentence
};

/// What a rule watches for and is so now.
///
/// now      microseconds
Result<std::vector<Trouble>> troubles(Database& db, const Rule& rule, std::int64_t now);

}  // namespace vestige
