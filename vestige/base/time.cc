#include "vestige/base/time.h"

#include <array>
#include <charconv>
#include <chrono>
#include <optional>

namespace vestige {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;
constexpr std::int64_t kFirst = -719'162 * kDay;      // 0001-01-01T00:00:00Z
constexpr std::int64_t kLast = 2'932'897 * kDay - 1;  // 9999-12-31T23:59:59.999999Z

std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  using namespace std::chrono;
  const sys_days date{std::chrono::year(static_cast<int>(year)) / static_cast<int>(month) /
                      static_cast<int>(day)};
  return date.time_since_epoch().count();
}

// Reads exactly `width` digits at `at` and moves on.
std::optional<int> digits(std::string_view text, std::size_t& at, std::size_t width) {
  if (at + width > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const char c = text[at + i];
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  at += width;
  return value;
}

bool take(std::string_view text, std::size_t& at, char c) {
  if (at >= text.size() || text[at] != c) return false;
  ++at;
  return true;
}

std::optional<std::int64_t> parse_age(std::string_view text) {
  if (text.ends_with(" ago")) text.remove_suffix(4);
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const std::int64_t length = unit == "s"   ? kSecond
                              : unit == "m" ? 60 * kSecond
                              : unit == "h" ? 3600 * kSecond
                              : unit == "d" ? kDay
                              : unit == "w" ? 7 * kDay
                                            : 0;
  if (error != std::errc() || length == 0 || count < 0 || count > (kLast - kFirst) / length)
    return std::nullopt;
  return count * length;
}

// ±hh:mm, ±hhmm, ±hh or Z; nothing at all means UTC.
std::optional<std::int64_t> parse_zone(std::string_view text, std::size_t& at) {
  if (at == text.size()) return 0;
  if (take(text, at, 'Z') || take(text, at, 'z')) return 0;
  const bool minus = text[at] == '-';
  if (!minus && text[at] != '+') return std::nullopt;
  ++at;
  const auto hours = digits(text, at, 2);
  if (!hours || *hours > 23) return std::nullopt;
  int minutes = 0;
  if (at < text.size()) {
    take(text, at, ':');
    const auto read = digits(text, at, 2);
    if (!read || *read > 59) return std::nullopt;
    minutes = *read;
  }
  const std::int64_t offset = (*hours * 60 + minutes) * 60 * kSecond;
  return minus ? -offset : offset;
}

std::optional<std::int64_t> parse_moment(std::string_view text) {
  std::size_t at = 0;
  const auto year = digits(text, at, 4);
  if (!year || !take(text, at, '-')) return std::nullopt;
  const auto month = digits(text, at, 2);
  if (!month || !take(text, at, '-')) return std::nullopt;
  const auto day = digits(text, at, 2);
  if (!day || *year < 1 ||
      !std::chrono::year_month_day(std::chrono::year(*year), std::chrono::month(*month),
                                   std::chrono::day(*day))
           .ok())
    return std::nullopt;
  std::int64_t micros =
      days_from_civil(*year, static_cast<unsigned>(*month), static_cast<unsigned>(*day)) * kDay;
  if (at == text.size()) return micros;
  if (!take(text, at, 'T') && !take(text, at, 't') && !take(text, at, ' ')) return std::nullopt;
  const auto hour = digits(text, at, 2);
  if (!hour || *hour > 23 || !take(text, at, ':')) return std::nullopt;
  const auto minute = digits(text, at, 2);
  if (!minute || *minute > 59) return std::nullopt;
  int second = 0;
  if (take(text, at, ':')) {
    const auto read = digits(text, at, 2);
    if (!read || *read > 59) return std::nullopt;
    second = *read;
    if (take(text, at, '.')) {
      std::int64_t scale = kSecond / 10;
      const std::size_t first = at;
      for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
        micros += (text[at] - '0') * scale;
      if (at == first) return std::nullopt;
    }
  }
  micros += ((*hour * 60 + *minute) * 60 + second) * kSecond;
  const auto zone = parse_zone(text, at);
  if (!zone || at != text.size()) return std::nullopt;
  return micros - *zone;
}

}  // namespace

std::string format_time(std::int64_t micros) {
  using namespace std::chrono;
  const sys_time<microseconds> moment{microseconds(micros)};
  const auto day = floor<days>(moment);
  const year_month_day date(day);
  const hh_mm_ss<microseconds> clock(moment - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

Result<std::int64_t> parse_time(std::string_view text, std::int64_t now) {
  if (text == "now") return now;
  auto moment = parse_moment(text);
  if (const auto age = parse_age(text)) moment = now - *age;
  if (moment.has_value() && *moment >= kFirst && *moment <= kLast) return *moment;
  return hinted(fail(Fault::invalid, "read the time '{}': not a moment", text),
                "write 2026-01-31T12:00:00Z, 2026-01-31, now, or an age such as 2h or 7d");
}

std::int64_t clock_now() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace vestige
