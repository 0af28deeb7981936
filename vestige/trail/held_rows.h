// HeldRows: which changes are of the rows that a hold's filter names by table and key, under every key that they had: what erase and log
// follow, a hold follows. For vestige/trail/hold.cc alone. Test: test/hold_test.cc.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/filter.h"
#include "vestige/trail/held_names.h"

namespace vestige {

class HeldRows {
 public:
  /// A filter without a table, or without a key that names rows, follows none.
  static Result<HeldRows> of(Database& db, const Filter& filter, const HeldNames& names);

  /// The condition is one of those that named the rows, and the change is of one of them.
  bool meets(const Condition& condition, std::int64_t change) const;

 private:
  std::set<std::int64_t> changes_;
};

}  // namespace vestige
