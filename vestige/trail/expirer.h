// Expirer: how changes whose time is over are taken out of a trail, a stretch of it at a time (docs/decisions/0027). What expire
// (audit/expire.h) asks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/trail/expiry.h"

namespace vestige {

/// A table whose changes are not kept for ever: those that were made before a moment are due.
struct DueTable {
  std::int64_t id = 0;
  std::int64_t shape = 0;    // the current one
  std::int64_t horizon = 0;  // microseconds since 1970
  std::int64_t overdue =
      0;  // what was made before that goes with what else is due, however little that is
};

/// A change that is due, and how much room its values take.
struct DueChange {
  std::int64_t id = 0;
  std::int64_t table = 0;
  std::int64_t at = 0;
  std::int64_t bytes = 0;
};

/// What is taken in one transaction: a closed partition, or so many changes.
struct Stretch {
  std::string name;
  std::uint64_t changes = 0;   // of every table
  std::vector<DueChange> due;  // by id
};

/// Of one table what goes of a stretch: what its EXPIRE will say.
struct Going {
  Expiry expiry;  // without the change
  std::int64_t shape = 0;
  LeavesOf leaves;
  std::vector<std::int64_t> ids;  // ascending
};

class Expirer {
 public:
  Expirer() = default;
  Expirer(const Expirer&) = delete;
  Expirer& operator=(const Expirer&) = delete;
  virtual ~Expirer() = default;

  /// Whether this role may take anything away.
  ///
  /// faults   denied
  virtual Result<void> may() = 0;

  /// The next stretch in which something is due; nothing after the last. EXPIREs and ERASEs are never due.
  virtual Result<std::optional<Stretch>> next(const std::vector<DueTable>& tables) = 0;

  /// The same stretch as it is now.
  virtual Result<Stretch> again(const std::vector<DueTable>& tables) = 0;

  /// How many of a stretch's changes must go for it to be worth while.
  virtual std::uint64_t least(const Stretch& stretch) const = 0;

  /// Makes ready, outside of a transaction, what then takes no time.
  ///
  /// kept     ids of changes that are due and stay
  virtual Result<void> prepare(const std::vector<DueTable>& tables,
                               const std::vector<std::int64_t>& kept) = 0;

  /// In the transaction, before anything is written: nobody erases or seals from here on.
  virtual Result<void> hold() = 0;

  /// Records the EXPIRE of a table, and takes what it says. In the transaction of a ContextScope.
  ///
  /// returns  the EXPIRE's id
  virtual Result<std::int64_t> take(const Going& going) = 0;

  /// After all tables of the stretch, and before the commit.
  virtual Result<void> finish() = 0;

  /// What no change names any more goes, and room is given back as far as the database does.
  virtual Result<void> tidy() = 0;
};

std::unique_ptr<Expirer> expirer_of(Database& db);

}  // namespace vestige
