// standing: how a tracked table stands against the database as it is now. What doctor and status report
// and what ddl insists on is found out here, once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/sqlite/fit.h"

namespace vestige::sqlite {

struct Standing {
  std::string name;                  // the name under which it is tracked
  std::string live;                  // the name that the table has now; empty: it is gone
  bool replaced = false;             // it was renamed to `live`, and another table took its name
  std::vector<std::string> missing;  // capture triggers that are not there
  std::vector<std::string> altered;  // capture triggers that are not as they should be
  std::vector<Renamed> renamed;      // recorded columns, proven by the capture triggers' text
  std::vector<std::string> added;    // columns that should be recorded and are not
  std::vector<std::string> dropped;  // recorded columns that are gone
  std::vector<std::string> lost;     // columns of the policy's exclude that are gone
  bool subject_lost = false;         // the column that says whose a row is
  std::vector<std::string> newer;    // the application's triggers that are newer than capture's
  std::vector<std::string>
      hiding;                // those of them that end with RAISE(IGNORE) before capture comes
  bool key_changed = false;  // the primary key is not what changes are kept under

  bool columns_fit() const {
    return renamed.empty() && added.empty() && dropped.empty() && !key_changed;
  }
  /// "triggers missing, columns changed"; empty when all is as it should be.
  std::string trouble() const;
};

/// Compares a table that is tracked (not: was) with the database.
///
/// cost     a few reads of the schema
/// faults   invalid: the table became something that cannot be tracked
Result<Standing> standing(Database& db, const Tracked& table);

}  // namespace vestige::sqlite
