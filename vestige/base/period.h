// Period: a stretch of the calendar as people name it, and when it begins and ends in a zone.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "vestige/base/zone.h"

namespace vestige {

/// "2026", "2026Q3" ("2026-Q3"), "2026-11", "2026-11-28": from its first moment until before the second.
///
/// faults   invalid
Result<std::pair<std::int64_t, std::int64_t>> read_period(std::string_view text,
                                                          const TimeZone& zone);

}  // namespace vestige
