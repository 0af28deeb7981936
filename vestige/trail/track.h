// Tracking tables: policies in, triggers out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/policy.h"
#include "vestige/trail/catalog.h"

namespace vestige {

struct Change;

/// The application's own tables that can be tracked, by name: no views, virtual or internal tables.
Result<std::vector<std::string>> trackable_tables(Database& db);

/// Starts to track a table, or changes its policy and keeps its history. Runs in the caller's
/// transaction.
///
/// faults   missing (no such table or column), invalid (a policy that cannot be, a kind of table that
///          cannot be tracked)
Result<Tracked> track(Database& db, const std::string& table, const Policy& policy);

/// Records every row that stands in the table now as a BASELINE change. Runs in the caller's transaction.
///
/// returns  how many rows
Result<std::int64_t> baseline(Database& db, const Tracked& table);

/// Stops tracking a table; its history stays. Runs in the caller's transaction.
///
/// faults   missing: not tracked
Result<void> untrack(Database& db, const std::string& table);

/// A table of the trail's own, which is recorded as the application's are; made and tracked where it is not yet. Runs in the caller's
/// transaction. Its name in SQL is spelling_of(db).table(name).
///
/// name     mark, access, review, policy_change, alert, hold, archived, recipient, destroyed
/// faults   denied: the role is not meant to write there
Result<Tracked> own_table(Database& db, std::string_view name);

/// The same where it was made already, as it is tracked; nothing where it never was.
Result<std::optional<Tracked>> known_own_table(Database& db, std::string_view name);

/// The id of a row of such a table, by a change of it; nothing where its key is another.
std::optional<std::int64_t> own_row_id(const Change& change);

/// A table's name is that of one of those.
bool is_own_table(Database& db, std::string_view table);

}  // namespace vestige
