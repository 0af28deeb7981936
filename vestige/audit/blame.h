// blame: who last touched each column of a row.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vestige/record/change.h"
#include "vestige/trail/changes.h"

namespace vestige {

struct Blamed {
  std::string column;
  Value value;
  // The change that gave the column its value; nothing when it has not changed since tracking began.
  std::optional<Change> change;
};

struct Blame {
  std::string table;
  Row key;
  bool exists = true;  // false: the row was deleted; the columns are those of its DELETE
  std::vector<Blamed> columns;
};

/// columns  only these; empty: all. The history is read back to where the last of them has its change.
/// faults   missing (no such row now or in the trail; a column that was never recorded), invalid
Result<Blame> blame(Database& db, const std::string& table, const std::vector<std::string>& key,
                    const std::vector<std::string>& columns = {});

/// One object, without newline (docs/json.md).
std::string to_json(const Blame& blame, const Blamed& one);

}  // namespace vestige
