// Source: where changes are read from. A database is one; so is whatever else keeps changes and can give them as a stream.
// The questions that everybody asks stand in catalog.h and changes.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/trail/catalog.h"
#include "vestige/trail/changes.h"

namespace vestige {

/// What an application said of a transaction's changes.
struct SaidContext {
  std::int64_t first = 0;  // no change under it has a lower id
  std::int64_t tx = 0;
  // PostgreSQL: the transaction's number in the database; "": it has none; nothing: nobody knows it any more.
  std::optional<std::string> xid;
  std::string signature;  // its field of that name, or ""
};

class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  /// Every table that is or was tracked, by name; those still tracked before those that are not.
  virtual Result<std::vector<Tracked>> tables() = 0;

  /// The table that a person means (see vestige::meant_table).
  virtual Result<std::optional<std::string>> meant_table(const std::string& typed) = 0;

  /// Every shape that a table has had, oldest first.
  virtual Result<std::vector<Shape>> shapes(std::int64_t table) = 0;

  /// What is known to be missing of a table's changes after one of them, a sentence for each.
  virtual Result<std::vector<std::string>> gaps(std::int64_t table, std::int64_t upto) = 0;

  /// The selected changes (see read_changes).
  ///
  /// selection  as narrowed() gives it
  virtual Result<std::unique_ptr<Changes>> changes(const Selection& selection) = 0;

  /// What reads again and again (see change_reader).
  virtual Result<std::unique_ptr<ChangeReader>> reader(std::optional<std::int64_t> table,
                                                       bool every) = 0;

  /// Their ids, oldest first; also of UPDATEs in which no bit differs.
  ///
  /// selection  without a column, a filter, an order and a limit
  virtual Result<std::vector<std::int64_t>> ids(const Selection& selection) = 0;

  /// How many they are.
  virtual Result<std::int64_t> count_of(const Selection& selection) {
    return static_cast<std::int64_t>(TRY(ids(selection)).size());
  }

  /// The changes under one key, whichever row had it (see key_changes).
  virtual Result<std::unique_ptr<Changes>> changes_under(const Tracked& table, const RowName& name,
                                                         std::int64_t after, std::int64_t upto,
                                                         bool oldest_first) = 0;

  /// Transactions that may belong to this one (see vestige::doubtful_neighbours).
  virtual Result<std::vector<std::int64_t>> doubtful_neighbours(std::int64_t tx) = 0;

  /// The contexts of changes in after < id <= upto; those without a signature may be left out.
  virtual Result<std::vector<SaidContext>> said(std::int64_t after, std::int64_t upto) = 0;

  /// The id of the last change that the clock placed at or before a moment; 0: none.
  virtual Result<std::int64_t> last_at(std::int64_t micros) = 0;

  /// Opens for whoever has an identity what is encrypted in a change that somebody else gave, such as an archive; what cannot be opened
  /// stays as it is.
  virtual Result<void> open(Change& /*change*/) { return {}; }

  /// How many changes there are; 0 also where the table that keeps them is gone.
  virtual Result<std::int64_t> count() = 0;
};

std::unique_ptr<Source> source_of(Database& db);

}  // namespace vestige
