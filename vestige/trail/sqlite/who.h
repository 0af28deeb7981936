// The index of who made which changes (sql/sqlite/who.sql; docs/decisions/0019-who.md).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "vestige/db/database.h"

namespace vestige::sqlite {

/// The last change that it knows; a multiple of 512.
Result<std::int64_t> who_upto(Database& db);

/// Makes it anew from the changes. Runs in the caller's transaction.
Result<void> rebuild_who(Database& db);

/// The first change of each block in which somebody's name does not stand in it, and should.
Result<std::vector<std::int64_t>> missing_in_who(Database& db);

/// Takes actors out of blocks of which contexts were erased; who stands there by another context stays. Runs in the caller's
/// transaction, after the contexts are silent.
Result<void> forget_names(Database& db, const std::map<std::string, std::set<std::int64_t>>& gone);

}  // namespace vestige::sqlite
