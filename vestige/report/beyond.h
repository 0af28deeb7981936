// Beyond: what a report of one row cannot show, and has to name: what of its table has expired, and where its changes stand besides.
// Test: test/report_subject_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vestige/report/report.h"
#include "vestige/trail/archived.h"
#include "vestige/trail/expiry.h"

namespace vestige {

class Beyond {
 public:
  /// table  whose row it is
  static Result<Beyond> of(Database& db, std::int64_t table);

  /// Before it not every change is known; nothing: nothing of the table has expired.
  std::optional<std::int64_t> horizon() const;

  /// A change of the row: archives that have it are named.
  void saw(const Change& change);

  /// Adds the sections `expired` and `archives`, with their rows.
  Result<void> add(Report& report) const;

 private:
  struct Part {
    ArchivedRange range;
    std::int64_t changes = 0;  // of the row
    bool expired = false;      // it has changes of the table that expired
  };

  std::vector<Expiry> expiries_;  // of each class and period the one that reaches furthest
  std::vector<Part> parts_;
  bool read_ = false;  // with the archive
};

}  // namespace vestige
