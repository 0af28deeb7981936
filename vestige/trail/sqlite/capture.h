// Capture on SQLite: the SQL of the triggers that record changes. What they guarantee stands in
// docs/sqlite.md; why values stand in native slots and not in JSON, in docs/decisions/0001-native-slots.md.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/trail/catalog.h"
#include "vestige/trail/sqlite/fit.h"
#include "vestige/trail/sqlite/live_table.h"

namespace vestige {

inline constexpr std::size_t kSlots = 32;          // v0 … v31 of vestige_change and vestige_more
inline constexpr std::size_t kPairs = kSlots / 2;  // columns of an UPDATE in one row of slots

/// ", v0, v1, …" from `first` on.
std::string slot_names(std::size_t first, std::size_t count);

/// What a table's capture triggers are called after vestige_<id>_.
inline constexpr std::array<std::string_view, 7> kCaptureTriggers = {
    "before_insert", "insert", "before_update", "update", "delete", "before_move", "move"};

/// The trail's own triggers that capture leans on.
inline constexpr std::array<std::string_view, 12> kTrailTriggers = {
    "vestige_pairs_write", "vestige_compare_row", "vestige_write_change", "vestige_write_part",
    "vestige_change_run",  "vestige_clear_kept",  "vestige_keep_row",     "vestige_settle",
    "vestige_gone_row",    "vestige_late_some",   "vestige_late_one",     "vestige_put_back_some"};

/// The capture triggers of a table.
///
/// temporary  the same as TEMP triggers, for a connection on which main triggers are off
/// faults     invalid: a condition or a required field that cannot be
Result<std::vector<Trigger>> capture_triggers(Database& db, const SqliteTable& live,
                                              const Tracked& table, bool temporary);

/// kTrailTriggers as TEMP triggers, for the same purpose.
///
/// faults   corrupt: one is missing
Result<std::vector<Trigger>> temporary_trail_triggers(Database& db);

/// Clears what a REPLACE that came to nothing left in vestige_replaced: of one table, or of all. SQLite.
Result<void> forget_kept(Database& db, std::optional<std::int64_t> table);

/// INSERT … SELECT statements that record the rows of a table as BASELINE changes.
std::vector<std::string> baseline_statements(Database& db, const SqliteTable& live,
                                             const Tracked& table);

/// The stored form of a key: the value itself for one column, a JSON array of them for more.
///
/// columns    SQL expressions of the key columns, in key order
/// when       for several: FROM or WHERE of a SELECT; the form is null, and not made, where that has no row
std::string key_expression(const std::vector<std::string>& columns, std::string_view when = "");

}  // namespace vestige
