// diff: what differs between two moments, in one row or in a whole table.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/audit/at.h"

namespace vestige {

struct Diff {
  std::string table;
  Row key;
  State from;
  State to;
  std::vector<Difference> differences;
};

/// One object, without newline (docs/json.md).
std::string to_json(const Diff& diff);

/// faults   missing, invalid
Result<Diff> diff(Database& db, const std::string& table, const std::vector<std::string>& key,
                  const Moment& from, const Moment& to);

/// The rows of a table that differ, pulled one at a time, in key order. Those that end as they began are no difference, and a row
/// whose key changed is one that went and one that came. A column that came or went with a migration is one of the differences of
/// a row that has others.
class Diffs {
 public:
  /// cost     as Past::between
  /// faults   missing, invalid: a table without a key
  static Result<Diffs> read(Database& db, const std::string& table, const Moment& from,
                            const Moment& to);

  const Tracked& table() const { return table_; }
  /// The next row, or nothing at the end.
  Result<std::optional<Diff>> next();

 private:
  Tracked table_;
  std::vector<std::string> key_;  // its columns
  bool turned_ = false;           // `to` is the earlier moment
  std::unique_ptr<StatePairs> pairs_;
};

/// How many rows of a table differ.
struct DiffStat {
  std::string table;
  std::int64_t added = 0;
  std::int64_t changed = 0;
  std::int64_t removed = 0;
  std::vector<std::string> columns;  // in which rows changed, in the order in which they were met

  void add(const Diff& diff);
  bool empty() const { return added + changed + removed == 0; }
};

}  // namespace vestige
