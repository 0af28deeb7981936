// Moments, as RFC 3339 text and as microseconds since 1970-01-01 UTC.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vestige/base/result.h"

namespace vestige {

/// RFC 3339 in UTC with six digits: 2026-01-01T00:00:00.000000Z.
///
/// micros   microseconds since 1970-01-01 UTC; years 0001 to 9999
std::string format_time(std::int64_t micros);

/// Reads a moment as people write it.
///
/// text     RFC 3339 ("2026-01-01T12:00:00+02:00"), the same with a space and without zone (UTC),
///          a date ("2026-01-01"), "now", or an age ("90s", "15m", "2h", "7d", "4w", with or without "ago")
/// now      what ages and "now" count from, microseconds
/// returns  microseconds since 1970-01-01 UTC
/// faults   invalid
Result<std::int64_t> parse_time(std::string_view text, std::int64_t now);

/// The wall clock, microseconds since 1970-01-01 UTC.
std::int64_t clock_now();

}  // namespace vestige
