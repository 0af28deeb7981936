// What an archive says of rows: as its changes leave them where there is no database, and what of a table's past only it can tell where
// there is one. For vestige/source/archive.cc. Test: test/archive_past_test.cc.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "vestige/trail/past.h"
#include "vestige/trail/table_rows.h"

namespace vestige {

/// The rows of one table as changes make them, by key; all of them in memory.
class FoldedRows {
 public:
  /// A row as it is known from elsewhere, with its key.
  void put(const Row& key, Row row);
  /// Changes in their order, and against it.
  void forward(const Change& change) { fold(change, true); }
  void backward(const Change& change) { fold(change, false); }

  struct Known {
    Row key;
    Row row;
    bool lost = false;  // a change was needed whose values were erased
  };
  /// Nothing where no row has the key.
  const Known* find(const RowName& name) const;
  /// In the order of their keys: numbers by value, text by its bytes.
  std::vector<Known> in_order() const;

 private:
  void fold(const Change& change, bool forward);

  std::map<std::string, Known> rows_;
};

/// Rows as an archive without a database leaves them.
///
/// db     answers by read_changes
/// own    of the database that stands in its place, for what keys are
std::unique_ptr<TableRows> archived_rows(Database& db, std::unique_ptr<TableRows> own);

/// A table's past, read backward from the moment behind `last`, where the database knows all of it; of an archive alone from its end.
///
/// last   of a table: the last change that only the archive has; nothing where there is no database
std::unique_ptr<Past> archived_past(
    Database& db, std::unique_ptr<Past> own,
    std::function<Result<std::optional<std::int64_t>>(std::int64_t)> last, bool alone);

}  // namespace vestige
