// The rows that were touched and one scan of the live table, both in key order, as one stream. For past.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/trail/past.h"
#include "vestige/trail/sqlite/key_order.h"
#include "vestige/trail/sqlite/touched_rows.h"

namespace vestige::sqlite {

/// A scan of the live table, in key order.
struct LiveScan {
  std::unique_ptr<Rows> rows;  // none: the table is gone
  std::vector<std::string> columns;
  std::vector<int> key;  // places in columns
  bool row_ids = false;  // the rowid is read after the columns
};

/// Columns to give, and where the scan has them.
class WantedColumns {
 public:
  WantedColumns(const std::vector<std::string>& names, const LiveScan& live);

  /// Of what is known first, and then of the live row where the scan stands.
  Row row(Row* known, const Rows* live) const;

 private:
  struct Column {
    std::string name;
    int place = -1;  // in the live row; -1: not there
  };
  std::vector<Column> columns_;
};

class TableMerge {
 public:
  TableMerge(KeyOrder order, LiveScan live)
      : order_(std::move(order)), live_(std::move(live)), live_key_(live_.key.size()) {}
  TableMerge(const TableMerge&) = delete;
  TableMerge& operator=(const TableMerge&) = delete;

  const LiveScan& live() const { return live_; }

  /// Reads the first live row: what is read from now on is of the same snapshot.
  Result<void> open() { return step(); }
  Result<void> merge_with(std::unique_ptr<TouchedRows> touched);

  /// Goes on to the next key; false at the end.
  Result<bool> next();
  /// The row there that was touched; nullptr: none was.
  Touched* touched() { return given_.has_value() ? &*given_ : nullptr; }
  /// The live row there; nullptr: there is none.
  const Rows* row() const { return stands_ ? live_.rows.get() : nullptr; }

 private:
  Result<int> compare() const;
  Result<void> step();

  KeyOrder order_;
  LiveScan live_;
  std::vector<Value> live_key_;  // of the row where the scan stands
  std::unique_ptr<TouchedRows> touched_;
  std::optional<Touched> ahead_;  // the next touched row
  std::optional<Touched> given_;
  bool stands_ = false;
  bool ended_ = false;
};

/// A merge as the states at its earlier moment, and as what the touched rows were at both.
std::unique_ptr<States> states_of(std::unique_ptr<TableMerge> merge,
                                  const std::vector<std::string>& wanted);
std::unique_ptr<StatePairs> pairs_of(std::unique_ptr<TableMerge> merge,
                                     const std::vector<std::string>& early,
                                     const std::vector<std::string>& late);

}  // namespace vestige::sqlite
