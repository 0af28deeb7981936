// What alerts say of changes: an erasure of these takes it, too (docs/rules.md, "What is raised"). Test: test/erase_alerts_test.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vestige/db/database.h"

namespace vestige {

struct ToldAlerts {
  std::vector<std::string> ids;
  std::vector<std::int64_t> changes;  // of their rows in the trail's own table
};

/// The alerts that name one of some changes, and say anything of it still.
Result<ToldAlerts> told_alerts(Database& db, const std::vector<std::int64_t>& about);

/// How many say nothing any more.
Result<std::int64_t> silent_alerts(Database& db);

}  // namespace vestige
