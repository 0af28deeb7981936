// Hours: when people are at work: "Mon-Fri 07:00-19:00, Sat 08:00-12:00", on the clock of a place. Test: hours_test.cc.
#pragma once

#include <array>
#include <chrono>
#include <set>
#include <string_view>
#include <vector>

#include "vestige/base/zone.h"

namespace vestige {

class Hours {
 public:
  /// text     days and times, several with commas; a time that ends before it begins goes on to the next day; 24:00 is its end
  /// holidays dates, "2026-12-25": nobody is at work, and what went on from the day before ends
  /// faults   invalid
  static Result<Hours> parse(std::string_view text, const std::vector<std::string>& holidays);

  bool within(const LocalTime& time) const;

 private:
  struct Span {
    std::int64_t from = 0;  // microseconds since midnight, as clocks show them
    std::int64_t end = 0;
  };
  Result<void> add(std::string_view part);
  std::array<std::vector<Span>, 7> days_;  // Monday first
  std::set<std::chrono::sys_days> holidays_;
};

/// "2026-12-25"
///
/// faults   invalid
Result<std::chrono::sys_days> parse_date(std::string_view text);

}  // namespace vestige
