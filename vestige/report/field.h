// A field over time: what one column of one row held, from when to when, and by whom it came there. The model; plot.h draws it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vestige/record/change.h"
#include "vestige/trail/changes.h"

namespace vestige {

/// From one change on, until the next point.
struct FieldPoint {
  enum class State {
    value,
    gone,     // the row is not there
    unknown,  // its value was erased
  };
  // Nothing of a change: what the field held before the first that is recorded, from the time on when tracking began.
  std::int64_t change = 0;
  std::int64_t at = 0;  // microseconds
  Op op = Op::baseline;
  std::int64_t tx = 0;
  std::string who;
  std::string reason;
  State state = State::value;
  Value value;
  std::optional<double> number;   // of a number that is finite
  std::optional<double> percent;  // against the number before, where that was none of 0
};

struct FieldHistory {
  std::string table;
  Row key;
  std::string column;
  std::vector<FieldPoint> points;  // oldest first
  bool numbers = false;            // every value that is known and not null is a number

  /// The points with a change.
  std::int64_t changes() const;
  /// The least and the largest number; both 0 where there is none.
  std::pair<double, double> range() const;
  /// From its first point to a time, but at least to its last one; it has a length. There is a point.
  std::pair<std::int64_t, std::int64_t> span(std::int64_t until) const;
  /// The different values as people read them, in the order in which they came.
  std::vector<std::string> different() const;
};

/// Also of a row that is gone, and under every key that it had.
///
/// faults   missing (no such row now or in the trail; a column that was never recorded), invalid
Result<FieldHistory> field_history(Database& db, const std::string& table,
                                   const std::vector<std::string>& key, const std::string& column);

/// One point as a JSON object (docs/json.md).
std::string to_json(const FieldHistory& history, const FieldPoint& point);

}  // namespace vestige
