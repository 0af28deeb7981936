// The rows that changes after a moment touched, in key order: what each was at the moment, and at a later one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/record/change.h"
#include "vestige/trail/sqlite/key_order.h"

namespace vestige::sqlite {

/// What a row was: what its changes after a moment say, the oldest first.
struct Was {
  enum class Kind : char {
    live = 'L',     // no change touched it: as it is now
    absent = 'A',   // not there
    whole = 'W',    // known whole
    overlay = 'O',  // the live row, with some columns as they were
    unknown = 'E',  // erased
  };
  Kind kind = Kind::live;
  Row row;
  bool done = false;  // later changes do not tell more

  /// Takes the next change in. Of one that moves the row to another key, what the row was there is still to be taken.
  ///
  /// arrives  the change moved the row here
  void take(const Change& change, bool arrives);
};

/// A row that was touched.
struct Touched {
  std::vector<Value> key;
  std::int64_t row_id = 0;  // where the key does not tell rows apart
  Was early;
  Was late;
  bool between = false;  // touched between the two moments
};

/// One at a time.
class TouchedRows {
 public:
  TouchedRows() = default;
  TouchedRows(const TouchedRows&) = delete;
  TouchedRows& operator=(const TouchedRows&) = delete;
  virtual ~TouchedRows() = default;
  virtual Result<std::optional<Touched>> next() = 0;
};

/// Makes the temporary table in which rows are sorted anew. It stays.
Result<void> make_room(Database& db, std::size_t keys);

/// Keys of several columns are stored as one text, whose order is not theirs: such rows are sorted anew, in the room that was
/// made for them.
Result<std::unique_ptr<TouchedRows>> sorted_anew(Database& db, TouchedRows& touched,
                                                 std::size_t keys, const KeyOrder& order);

}  // namespace vestige::sqlite
