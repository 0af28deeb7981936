// log --stat: transactions instead of changes, each with what it did to which table.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/trail/changes.h"

namespace vestige {

/// What a transaction did to one table.
struct TableStat {
  std::string table;
  std::map<Op, std::int64_t> changes;  // how many of each operation
  std::vector<std::string>
      columns;  // that its UPDATEs changed, in the order in which they were met
};

/// A transaction, as far as its changes were selected.
struct TransactionStat {
  std::int64_t tx = 0;
  std::int64_t first = 0;  // the id of its first change
  std::int64_t from = 0;   // when that was made, microseconds
  std::int64_t upto = 0;   // its last one
  std::int64_t changes = 0;
  std::vector<std::string> who;      // see Change::who; the last first, each once
  std::vector<std::string> reasons;  // the last first, each once
  std::vector<TableStat> tables;     // by name
};

/// One object, without newline (docs/json.md).
std::string to_json(const TransactionStat& stat);

/// Transactions from a stream of changes, the last begun first.
class TransactionStats {
 public:
  /// changes  newest first
  explicit TransactionStats(std::unique_ptr<Changes> changes) : changes_(std::move(changes)) {}

  /// The next transaction, or nothing at the end; memory for those whose changes stand between each other.
  ///
  /// faults   corrupt, offline
  Result<std::optional<TransactionStat>> next();

 private:
  void add(const Change& change);

  std::unique_ptr<Changes> changes_;
  std::map<std::int64_t, TransactionStat> open_;
  std::optional<Change> ahead_;
  bool ended_ = false;
};

}  // namespace vestige
