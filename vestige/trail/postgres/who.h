// The index of who made which changes, as it grows (sql/postgres/install/who.sql).
#pragma once

#include <cstdint>
#include <vector>

#include "vestige/db/database.h"

namespace vestige::postgres {

/// Indexes what can be indexed by now. Who may not, and who meets an erasure, leaves it to others.
///
/// faults   offline
Result<void> index_who(Database& db);

/// The first change of each block in which somebody's name does not stand in it, and should.
Result<std::vector<std::int64_t>> missing_in_who(Database& db);

}  // namespace vestige::postgres
