// Tables in which programs keep what they know from one run to the next: made at their first use, for nobody to read, and not
// recorded. Test: test/watch_test.cc.
#pragma once

#include <string>
#include <string_view>

#include "vestige/db/database.h"

namespace vestige {

/// name     "rule_state", "delivery"
/// returns  what it is called in SQL; made where it is not there yet, in the caller's transaction
/// faults   denied (this role may not), missing (a trail that is older)
Result<std::string> kept_table(Database& db, std::string_view name);

/// The same where it is there; empty: it is not.
Result<std::string> known_kept_table(Database& db, std::string_view name);

}  // namespace vestige
