// Archived: which ranges of the feed the trail knows to stand in archives (docs/format.md, "Archive"). Test: test/report_subject_test.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vestige/db/database.h"

namespace vestige {

/// A part that somebody says was written: a trail in its table `archived`.
struct RecordedPart {
  std::uint64_t from = 0;
  std::uint64_t upto = 0;
  std::string manifest;  // SHA-256, lower-case hex
  bool operator==(const RecordedPart&) const = default;
};

/// What a trail says was written, oldest first.
Result<std::vector<RecordedPart>> recorded_parts(Database& db);

/// A part of an archive, as the change says in which the trail recorded that it was written.
struct ArchivedRange {
  std::uint64_t from = 0;  // the entries [from, upto)
  std::uint64_t upto = 0;
  std::string manifest;  // SHA-256, in hex
  std::int64_t at = 0;   // microseconds, by the trail's clock
};

/// All of them, oldest first.
///
/// faults   corrupt, offline
Result<std::vector<ArchivedRange>> archived_ranges(Database& db);

}  // namespace vestige
