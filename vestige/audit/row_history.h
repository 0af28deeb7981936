// One row's own changes, newest first, from a moment back to its birth: the same row under whatever key
// it had, and no other row that had its key before or after.
#pragma once

#include <limits>
#include <memory>

#include "vestige/trail/changes.h"

namespace vestige {

/// After every change.
inline constexpr std::int64_t kNow = std::numeric_limits<std::int64_t>::max();

/// The changes of the row that had `key` just after change `upto`. Ends with the INSERT that made it, or
/// where the trail ends.
Result<std::unique_ptr<Changes>> row_history(Database& db, const Tracked& table, const Row& key,
                                             std::int64_t upto);

/// The same values in every column, as = sees numbers.
bool same_row_key(const Row& left, const Row& right);

/// A key with a NULL in it names no row: SQLite lets any number of rows have it.
///
/// faults   invalid: the key holds a NULL
Result<void> names_a_row(const Tracked& table, const Row& key);

/// The row as it stands in the table now: its recorded columns; nothing when it is not there.
///
/// faults   corrupt: more than one row has the key
Result<std::optional<Row>> live_row(Database& db, const Tracked& table, const Row& key);

}  // namespace vestige
