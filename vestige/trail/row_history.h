// One row's own changes, newest first, from a moment back to its birth: the same row under whatever key
// it had, and no other row that had its key before or after.
#pragma once

#include <limits>
#include <memory>

#include "vestige/record/fold.h"
#include "vestige/trail/changes.h"

namespace vestige {

/// After every change.
inline constexpr std::int64_t kNow = std::numeric_limits<std::int64_t>::max();

/// The changes of the row that had this name just after change `upto`. Ends with the INSERT that made it, or
/// where the trail ends.
Result<std::unique_ptr<Changes>> row_history(Database& db, const Tracked& table,
                                             const RowName& name, std::int64_t upto);

/// The same values in every column, as = sees numbers.
bool same_row_key(const Row& left, const Row& right);

/// The row that words name (see parse_key), told from others whose key holds the same NULL: by the rowid that
/// is typed, or because there was only one.
///
/// faults   as parse_key; invalid: the words name several rows
Result<RowName> named_row(Database& db, const Tracked& table,
                          const std::vector<std::string>& words);

/// Refuses a row that nothing tells from others.
///
/// faults   invalid: the key holds a NULL, and no rowid is known
Result<void> names_a_row(const Tracked& table, const RowName& name);

/// Refuses a table whose key had other columns at a change after `after`: under another key nobody can follow a row.
///
/// what     is attempted
/// faults   invalid
Result<void> require_same_key(Database& db, const Tracked& table, std::int64_t after,
                              const std::string& what);

/// The row as it stands in the table now: its recorded columns; nothing when it is not there.
///
/// faults   corrupt: more than one row has the key
Result<std::optional<Row>> live_row(Database& db, const Tracked& table, const RowName& name);

/// A row that words name, also by a key that it had before, and as it stands now; `row` is nothing when it is not there.
struct Named {
  RowName name;
  std::optional<Row> row;
};

/// faults   as named_row, live_row
Result<Named> named_or_moved(Database& db, const Tracked& table,
                             const std::vector<std::string>& words);

/// The error of a question about what a row was before a change whose values were erased.
tl::unexpected<Error> not_known(const std::string& attempt, const Change& change);

/// What is known of a row at a moment.
struct KnownState {
  State state;
  std::optional<Change> lost;  // the change whose values would be needed, and were erased
};

/// The same for a row that was named, just after change `upto`.
Result<KnownState> known_state(Database& db, const Tracked& table, const RowName& name,
                               std::int64_t upto);

/// The same for a row that was named, just after change `upto`: every column that is known, under
/// today's names.
///
/// faults   missing: a later change was erased (see not_known)
Result<State> state_of(Database& db, const Tracked& table, const RowName& name, std::int64_t upto);

}  // namespace vestige
