// A table of the application as it stands in the database now.
#pragma once

#include <string>
#include <vector>

#include "vestige/db/database.h"

namespace vestige {

/// Its name and its columns, as they are spelled.
struct LiveTable {
  std::string name;
  std::vector<std::string> columns;

  /// The column of that name, or else one that differs from it in the case of letters; nullptr: there is none.
  const std::string* find(const std::string& column) const;
};

/// faults   missing: no such table; invalid: nothing whose rows can be recorded
Result<LiveTable> live_table(Database& db, const std::string& name);

}  // namespace vestige
