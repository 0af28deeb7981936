// restore and revert on PostgreSQL: vestige.undo_changes (sql/postgres/install/revert.sql).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vestige/audit/revert.h"

namespace vestige {

/// Undoes changes in one transaction under `context`.
///
/// ids      of the changes
/// column   the one column to undo; then of UPDATEs only
/// what     for messages: "revert of tx 12"
/// faults   conflict, denied (a constraint, a trigger, a privilege), missing
Result<Outcome> undo_on_postgres(Database& db, const std::vector<std::int64_t>& ids,
                                 const std::optional<std::string>& column, const Context& context,
                                 const ApplyOptions& options, const std::string& what);

/// The changes of a row after another change, also from when the table's key had other columns.
///
/// faults   invalid: nobody can tell which row it was then
Result<std::vector<std::int64_t>> changes_of_row(Database& db, const Tracked& table, const Row& key,
                                                 std::int64_t after);

}  // namespace vestige
