// What the application derives of its rows by triggers: full-text and R*Tree indexes, which have no other source. Undoing
// runs with the application's triggers off, but for those parts that keep such tables. Covered by derived_test.cc.
#pragma once

#include <string>
#include <vector>

#include "vestige/trail/sqlite/fit.h"

namespace vestige::sqlite {

struct Derived {
  std::vector<Trigger> kept;       // TEMP triggers: what of the application's writes virtual tables
  std::vector<std::string> notes;  // what is kept, and what a trigger writes that nobody puts right
};

/// What is derived of a table.
///
/// tracked   the tables whose own changes are undone
/// faults    corrupt, offline
Result<Derived> derived(Database& db, const std::string& table,
                        const std::vector<std::string>& tracked);

}  // namespace vestige::sqlite
