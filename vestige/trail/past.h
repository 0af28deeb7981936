// Past: a whole table as it was, at one moment or at two. Each database has its own way: SQLite's changes are folded here and
// merged with one scan, PostgreSQL does it in one query that the trail writes.
#pragma once

#include <memory>
#include <optional>

#include "vestige/record/fold.h"
#include "vestige/trail/moment.h"

namespace vestige {

/// Rows in key order, pulled one at a time.
class States {
 public:
  States() = default;
  States(const States&) = delete;
  States& operator=(const States&) = delete;
  virtual ~States() = default;
  virtual Result<State> next() = 0;
};

/// What one row was at two moments; a side is empty when no row had its key then.
struct StatePair {
  State early;
  State late;
};

/// Pulled one at a time, in key order.
class StatePairs {
 public:
  StatePairs() = default;
  StatePairs(const StatePairs&) = delete;
  StatePairs& operator=(const StatePairs&) = delete;
  virtual ~StatePairs() = default;
  virtual Result<std::optional<StatePair>> next() = 0;
};

class Past {
 public:
  Past() = default;
  Past(const Past&) = delete;
  Past& operator=(const Past&) = delete;
  virtual ~Past() = default;

  /// Every row of a table at a moment, in key order (see at).
  virtual Result<std::unique_ptr<States>> at(const Tracked& table, const Instant& when) = 0;

  /// The rows that were touched between two moments, under the keys that they had: those that ended as they began, too. A row
  /// whose values at one of them were erased is left out.
  ///
  /// cost     one scan of the table (SQLite), and the changes after the earlier moment, sorted; memory constant
  virtual Result<std::unique_ptr<StatePairs>> between(const Tracked& table, const Instant& early,
                                                      const Instant& late) = 0;
};

std::unique_ptr<Past> past_of(Database& db);

}  // namespace vestige
