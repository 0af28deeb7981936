// Tracking tables: policies in, triggers out.
#pragma once

#include <string>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/policy.h"
#include "vestige/trail/catalog.h"

namespace vestige {

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

/// Makes the triggers and the shape of a tracked table fit the table as it stands now, under
/// whatever name it has now. `note` goes into the shape when a new one is needed. `renamed` maps old
/// column names to new ones, so that a renamed column keeps its identity; the policy follows.
///
/// faults   missing: the table is gone
struct Renamed {
  std::string from;
  std::string to;
};
Result<Tracked> refit(Database& db, const Tracked& table, const std::string& name,
                      const std::vector<Renamed>& renamed, const std::string& note);

/// One trigger as it should stand.
struct Trigger {
  std::string name;
  std::string sql;
};

/// The capture triggers that a tracked table should have now.
Result<std::vector<Trigger>> expected_triggers(Database& db, const Tracked& table);

/// Drops the capture triggers of a tracked table, if they stand. Other objects stay.
Result<void> drop_triggers(Database& db, const Tracked& table);

}  // namespace vestige
