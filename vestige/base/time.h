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

/// Reads what format_time writes, and nothing else.
///
/// faults   invalid
Result<std::int64_t> read_time(std::string_view text);

/// Whose clock on the wall is meant where no zone is said: that of UTC, or that of the process (TZ, or /etc/localtime).
enum class Zone { utc, local };

/// What ages, days and times of day are counted from.
struct Now {
  // NOLINTNEXTLINE(google-explicit-constructor): a moment alone is one in UTC
  Now(std::int64_t moment, Zone its_zone = Zone::utc) : micros(moment), zone(its_zone) {}
  std::int64_t micros;
  Zone zone;
};

/// Reads a moment as people write it.
///
/// text     RFC 3339 ("2026-01-01T12:00:00+02:00"), the same with a space and without zone; a date ("2026-01-31") or a month
///          ("2026-01"): where it begins; "@1767268800", seconds since 1970; "now"; "today", "yesterday", "monday" (the last
///          one, today's on a Monday): where that day begins, or with a time of day ("yesterday 09:30"); "09:30": the last
///          one; or an age: "90s", "15m", "1.5h", "7d", "4w", "1mo", "1y", "2 hours", several at once ("1h30m"), with or without
///          "ago"
/// now      where months, years and days begin, and what time it is when no zone is said, is as its zone has it
/// returns  microseconds since 1970-01-01 UTC
/// faults   invalid
Result<std::int64_t> parse_time(std::string_view text, const Now& now);

/// A moment on the clock of a zone: "2026-01-31 12:00:00.000042".
std::string wall_time(std::int64_t micros, Zone zone);

/// RFC 3339 with the zone's offset: 2026-01-31T12:00:00.000042+01:00, or as format_time in UTC.
std::string offset_time(std::int64_t micros, Zone zone);

/// What people call a zone: "UTC", "Berlin" (Europe/Berlin), "CET".
std::string zone_name(Zone zone);

/// Makes a zone that of the process: a name of the tz database ("Europe/Berlin"), "UTC", or an offset ("+02:00"). Not beside
/// other threads.
///
/// faults   invalid: no such zone
Result<void> set_local_zone(const std::string& name);

/// The clock, microseconds since 1970-01-01 UTC.
std::int64_t clock_now();

}  // namespace vestige
