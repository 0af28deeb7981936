#include "vestige/base/period.h"

#include <charconv>
#include <optional>

namespace vestige {
namespace {

using std::chrono::days;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::year_month_day;
using std::chrono::years;

// All digits of a part, and nothing else.
std::optional<int> part(std::string_view text, std::size_t width) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return text.size() == width && whole && text[0] != '-' ? std::optional(value) : std::nullopt;
}

struct Days {
  year_month_day from, until;
};

std::optional<Days> days_of(std::string_view text) {
  const auto year = part(text.substr(0, 4), 4);
  if (!year.has_value() || *year == 0) return std::nullopt;
  const year_month_day first = std::chrono::year(*year) / 1 / 1;
  std::string_view rest = text.substr(4);
  if (rest.empty()) return Days{first, first + years(1)};
  if (rest.starts_with('-')) rest.remove_prefix(1);
  else if (!rest.starts_with('Q')) return std::nullopt;
  if (rest.starts_with('Q')) {
    const auto quarter = part(rest.substr(1), 1);
    if (!quarter.has_value() || *quarter < 1 || *quarter > 4) return std::nullopt;
    const auto begin = first + months(3 * (*quarter - 1));
    return Days{begin, begin + months(3)};
  }
  const auto month = part(rest.substr(0, 2), 2);
  if (!month.has_value() || *month < 1 || *month > 12) return std::nullopt;
  const auto begin = first + months(*month - 1);
  if (rest.size() == 2) return Days{begin, begin + months(1)};
  const auto day = rest[2] == '-' ? part(rest.substr(3), 2) : std::nullopt;
  if (!day.has_value()) return std::nullopt;
  const year_month_day date = begin.year() / begin.month() / *day;
  if (!date.ok()) return std::nullopt;
  return Days{date, sys_days(date) + days(1)};
}

}  // namespace

Result<std::pair<std::int64_t, std::int64_t>> read_period(std::string_view text,
                                                          const TimeZone& zone) {
  const auto found = days_of(text);
  if (!found.has_value())
    return hinted(
        fail(Fault::invalid, "read the period '{}': it is none", text),
        "write a year (2026), a quarter (2026Q3), a month (2026-11) or a day (2026-11-28)");
  return std::pair(zone.moment(found->from), zone.moment(found->until));
}

}  // namespace vestige
