// A moment in the trail.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vestige/trail/changes.h"

namespace vestige {

/// A place in the trail: just after a change, at a time, or now.
struct Moment {
  enum class Kind { change, time, now };
  Kind kind = Kind::now;
  std::int64_t value = 0;  // a change id, or microseconds
};

/// The id of the last change that is included at a moment; 0 is before the first.
///
/// faults   missing: no change of that id
Result<std::int64_t> resolve(Database& db, const Moment& moment);

/// The same, to know what a table was then.
///
/// faults   missing also: what would be needed for it has expired
Result<std::int64_t> resolve(Database& db, const Tracked& table, const Moment& moment);

/// A moment, and the last change that it includes.
struct Instant {
  Moment moment;
  std::int64_t upto = 0;
};

/// The columns that were recorded at a moment, under today's names.
Result<std::vector<std::string>> columns_at(Database& db, const Tracked& table,
                                            const Moment& moment, std::int64_t upto);

}  // namespace vestige
