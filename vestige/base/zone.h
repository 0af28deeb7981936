// TimeZone: what clocks show somewhere, by the tz database of the system, without touching the zone of the process.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/base/result.h"

namespace vestige {

/// What stands on a wall.
struct LocalTime {
  std::chrono::year_month_day date;
  std::int64_t clock = 0;   // microseconds since its midnight, as a clock shows them
  std::int32_t offset = 0;  // seconds east of UTC

  int hour() const { return static_cast<int>(clock / 3'600'000'000); }
  int minute() const { return static_cast<int>(clock / 60'000'000 % 60); }
  std::chrono::weekday weekday() const { return std::chrono::sys_days(date); }
};

/// "2026-11-28"
std::string date_text(std::chrono::year_month_day date);

class TimeZone {
 public:
  /// name     as in the tz database ("Europe/Berlin"), or "UTC"
  /// faults   invalid (there is none of that name, or its file cannot be read)
  static Result<TimeZone> named(const std::string& name);

  const std::string& name() const { return name_; }

  /// Seconds east of UTC at a moment.
  std::int32_t offset(std::int64_t micros) const;

  /// The moment at which a clock shows this: of a time that comes twice the first; one that is left out is as late after the gap.
  std::int64_t moment(std::chrono::year_month_day date, std::int64_t clock = 0) const;

 private:
  // A day of the year on which clocks are changed, as POSIX writes it: M3.5.0/2, J60, 59.
  struct Turn {
    char kind = 'M';
    int month = 0, week = 0, day = 0;
    std::int64_t clock = 7200;  // seconds since midnight by the clocks before; may be negative
    std::int64_t at(int year) const;
  };
  // What holds after the last moment in the file.
  struct Rule {
    std::int32_t standard = 0;
    std::int32_t summer = 0;
    bool changes = false;
    Turn begin, end;
    std::int32_t offset(std::int64_t seconds) const;
  };
  class Reader;

  bool take(std::string_view block);

  std::string name_;
  std::vector<std::int64_t> moments_;  // seconds since 1970; ascending
  std::vector<std::int32_t> offsets_;  // from each of them on
  std::int32_t first_ = 0;             // before the first
  Rule rule_;
};

/// What clocks in a zone show at a moment.
///
/// micros   microseconds since 1970-01-01 UTC
LocalTime local_time(std::int64_t micros, const TimeZone& zone);

}  // namespace vestige
