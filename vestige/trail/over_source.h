// OverSource: a database of which somebody else gives the changes, such as an archive that goes on where it ends, and what follows from
// them. Everything else is asked of the database itself. Test: test/archive_test.cc, test/archive_past_test.cc.
#pragma once

#include <memory>

#include "vestige/db/over_database.h"
#include "vestige/trail/expiry.h"
#include "vestige/trail/past.h"
#include "vestige/trail/source.h"
#include "vestige/trail/table_rows.h"

namespace vestige {

class OverSource : public OverDatabase {
 public:
  using OverDatabase::OverDatabase;
  /// Where changes are read from: of what the database has, and of what this knows.
  virtual std::unique_ptr<Source> over(std::unique_ptr<Source> own) = 0;
  /// The rows as they stand, and as they were, where that follows from more changes than the database has.
  virtual std::unique_ptr<TableRows> rows_over(std::unique_ptr<TableRows> own) { return own; }
  virtual std::unique_ptr<Past> past_over(std::unique_ptr<Past> own) { return own; }
  /// What the database let go and this has of a selection, in the order of the feed, each with its place in it.
  ///
  /// selection  without an order and a limit
  virtual Result<std::unique_ptr<Changes>> let_go(const Selection& selection) = 0;
  /// How many changes those are, of all that the database let go.
  virtual std::uint64_t given() const = 0;
  /// Whether this has all that an EXPIRE took from the database.
  virtual Result<bool> has(const Expiry& expiry) = 0;
};

/// The database itself, where it is read with an archive.
inline Database& without_archive(Database& db) {
  auto* over = dynamic_cast<OverSource*>(&db);
  return over == nullptr ? db : over->inner();
}

}  // namespace vestige
