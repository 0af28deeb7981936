// TableRows: the rows of a tracked table as they stand, by the keys that the trail knows them under.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "vestige/trail/catalog.h"
#include "vestige/trail/changes.h"

namespace vestige {

class TableRows {
 public:
  TableRows() = default;
  TableRows(const TableRows&) = delete;
  TableRows& operator=(const TableRows&) = delete;
  virtual ~TableRows() = default;

  /// The key that words name, one word for each key column, with the classes or types that the table's rows have.
  ///
  /// faults   invalid: a word that is no value of its column
  virtual Result<Row> typed_key(const Tracked& table, const std::vector<std::string>& words) = 0;

  /// The rowids of the rows that have or had a key which does not tell them apart, `most` of them and one more; none where
  /// a database has no rowids.
  virtual Result<std::set<std::int64_t>> row_ids(const Tracked& table, const Row& key,
                                                 std::size_t most) = 0;

  /// The row as it stands in the table now: its recorded columns; nothing when it is not there.
  ///
  /// faults   corrupt: more than one row has the key
  virtual Result<std::optional<Row>> live_row(const Tracked& table, const RowName& name) = 0;
};

std::unique_ptr<TableRows> table_rows_of(Database& db);

}  // namespace vestige
