// Fitting capture to a table as it stands now: its shape, its row in vestige_table, its triggers. What follows when a table
// is tracked, when it is altered, and when doctor mends it.
#pragma once

#include <string>
#include <vector>

#include "vestige/trail/catalog.h"
#include "vestige/trail/sqlite/live_table.h"

namespace vestige {

/// A column's old name and its new one.
struct Renamed {
  std::string from;
  std::string to;
};

/// The name that a column has by now.
inline const std::string& name_now(const std::vector<Renamed>& renamed, const std::string& column) {
  for (const Renamed& pair : renamed)
    if (pair.from == column) return pair.to;
  return column;
}

/// One trigger as it should stand.
struct Trigger {
  std::string name;
  std::string sql;
};

/// Makes the triggers and the shape of a tracked table fit `live`. `note` goes into the shape when a new one is needed.
/// `renamed` keeps a renamed column's identity.
///
/// faults   invalid: a condition that does not compile, a table with more columns than SQLite reads at once
Result<Tracked> fit(Database& db, Tracked table, const SqliteTable& live,
                    const std::vector<Renamed>& renamed, const std::string& note);

/// The same under whatever name the table has now; the policy follows the renamed columns, too.
///
/// faults   missing: the table is gone
Result<Tracked> refit(Database& db, const Tracked& table, const std::string& name,
                      const std::vector<Renamed>& renamed, const std::string& note);

/// The capture triggers that a tracked table should have now.
Result<std::vector<Trigger>> expected_triggers(Database& db, const Tracked& table);

/// Drops the capture triggers of a tracked table, if they stand. Other objects stay.
Result<void> drop_triggers(Database& db, const Tracked& table);

/// Whether these columns tell the rows of a table apart, but for those with a NULL.
bool has_unique(const SqliteTable& live, const std::vector<std::string>& key);

}  // namespace vestige
