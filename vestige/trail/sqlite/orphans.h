// Rows that refer to rows that are not there: what undoing must not leave behind. Covered by
// revert_test.cc.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "vestige/db/database.h"

namespace vestige::sqlite {

/// One foreign key of a table.
struct Reference {
  std::string child;
  std::string parent;
  std::int64_t key = 0;
  bool operator<(const Reference& other) const {
    return std::tie(child, parent, key) < std::tie(other.child, other.parent, other.key);
  }
};

struct OrphanRows {
  std::int64_t count = 0;
  std::set<std::int64_t> row_ids;  // of those that have one
};

using Orphans = std::map<Reference, OrphanRows>;

/// The orphans of some tables now. A foreign key that fits no parent cannot be checked, and has none.
Result<Orphans> orphans(Database& db, const std::set<std::string>& tables);

/// Fails when there are orphans that were not there before, and lists them.
///
/// faults   denied
Result<void> refuse_orphans(Database& db, const std::set<std::string>& tables,
                            const Orphans& before, const std::string& what);

}  // namespace vestige::sqlite
