// Reads TZif (RFC 8536): the 64-bit block of a version 2 file, and the rule behind it for all later years.
// Test: zone_test.cc, whose expected offsets come from another reader of the same database.
#include "vestige/base/zone.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string_view>

#include "vestige/base/file.h"

namespace vestige {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::size_t kHeader = 44;

std::int64_t floor_of(std::int64_t value, std::int64_t unit) {
  return value / unit - (value % unit < 0 ? 1 : 0);
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t out = 0;
  for (const char c : bytes) out = out << 8 | static_cast<unsigned char>(c);
  return out;
}

std::int64_t day_number(std::chrono::year_month_day date) {
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::chrono::year_month_day date_of(std::int64_t day) {
  return std::chrono::sys_days(std::chrono::days(day));
}

// How many of everything a block of the file has, as its header says.
struct Counts {
  std::size_t ut = 0, standard = 0, leap = 0, moments = 0, types = 0, letters = 0;

  std::size_t bytes(std::size_t time) const {
    return moments * (time + 1) + types * 6 + letters + leap * (time + 4) + standard + ut;
  }
};

std::optional<Counts> read_header(std::string_view bytes) {
  if (bytes.size() < kHeader || bytes.substr(0, 4) != "TZif") return std::nullopt;
  const auto count = [&](std::size_t place) {
    return static_cast<std::size_t>(big_endian(bytes.substr(20 + place * 4, 4)));
  };
  return Counts{count(0), count(1), count(2), count(3), count(4), count(5)};
}

// A name that leads to nothing but a file of the database.
bool is_name(std::string_view name) {
  const bool letters = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '/' || c == '_' || c == '-' || c == '+';
  });
  return letters && !name.empty() && name.front() != '/' && name.back() != '/';
}

std::string folder() {
  const char* set = std::getenv("TZDIR");
  return set == nullptr || *set == '\0' ? "/usr/share/zoneinfo" : set;
}

}  // namespace

// The text behind the second block: "CET-1CEST,M3.5.0,M10.5.0/3".
class TimeZone::Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::optional<Rule> rule() {
    Rule out;
    if (!name()) return std::nullopt;
    const auto west = clock();
    if (!west.has_value()) return std::nullopt;
    out.standard = static_cast<std::int32_t>(-*west);
    out.summer = out.standard;
    if (rest_.empty()) return out;
    if (!name()) return std::nullopt;
    out.summer = out.standard + 3600;
    out.changes = true;
    if (!rest_.starts_with(',')) {
      const auto other = clock();
      if (!other.has_value()) return std::nullopt;
      out.summer = static_cast<std::int32_t>(-*other);
    }
    if (!turn(out.begin) || !turn(out.end) || !rest_.empty()) return std::nullopt;
    return out;
  }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool name() {
    const bool bracket = take('<');
    std::size_t length = 0;
    while (length < rest_.size() &&
           (bracket ? rest_[length] != '>'
                    : std::isalpha(static_cast<unsigned char>(rest_[length])) != 0))
      ++length;
    rest_.remove_prefix(length);
    return (!bracket || take('>')) && length >= 3;
  }
  std::optional<int> number() {
    int value = 0;
    std::size_t length = 0;
    for (; length < rest_.size() && length < 4 &&
           std::isdigit(static_cast<unsigned char>(rest_[length])) != 0;
         ++length)
      value = value * 10 + (rest_[length] - '0');
    rest_.remove_prefix(length);
    return length == 0 ? std::nullopt : std::optional(value);
  }
  // [+-]hours[:minutes[:seconds]], in seconds
  std::optional<std::int64_t> clock() {
    const bool minus = take('-');
    if (!minus) take('+');
    const auto hours = number();
    if (!hours.has_value()) return std::nullopt;
    std::int64_t value = std::int64_t{*hours} * 3600;
    for (const int unit : {60, 1}) {
      if (!take(':')) break;
      const auto part = number();
      if (!part.has_value()) return std::nullopt;
      value += std::int64_t{*part} * unit;
    }
    return minus ? -value : value;
  }
  bool turn(Turn& out) {
    if (!take(',')) return false;
    out.kind = take('M') ? 'M' : take('J') ? 'J' : '0';
    const auto first = number();
    if (!first.has_value()) return false;
    out.day = *first;
    if (out.kind == 'M' && !month(*first, out)) return false;
    if (!take('/')) return true;
    const auto time = clock();
    out.clock = time.value_or(0);
    return time.has_value();
  }
  bool month(int month, Turn& out) {
    out.month = month;
    if (!take('.')) return false;
    const auto week = number();
    if (!week.has_value() || !take('.')) return false;
    const auto day = number();
    if (!day.has_value()) return false;
    out.week = *week;
    out.day = *day;
    return month >= 1 && month <= 12 && *week >= 1 && *week <= 5 && *day <= 6;
  }

  std::string_view rest_;
};

// In seconds since 1970 by the clocks that stand there.
std::int64_t TimeZone::Turn::at(int number) const {
  using namespace std::chrono;
  const year year(number);
  std::int64_t date = 0;
  if (kind == 'M') {
    const weekday wanted(static_cast<unsigned>(day));
    const std::chrono::month its(static_cast<unsigned>(month));
    date =
        week == 5
            ? sys_days(year / its / wanted[last]).time_since_epoch().count()
            : sys_days(year / its / wanted[static_cast<unsigned>(week)]).time_since_epoch().count();
  } else {
    // J60 is the first of March in every year; 59 counts the day that leap years have more.
    const bool skips = kind == 'J' && year.is_leap() && day >= 60;
    date = day_number(year / January / 1) + day - (kind == 'J' && !skips ? 1 : 0);
  }
  return date * kDaySeconds + clock;
}

std::int32_t TimeZone::Rule::offset(std::int64_t seconds) const {
  if (!changes) return standard;
  const auto date = date_of(floor_of(seconds + standard, kDaySeconds));
  const int year = static_cast<int>(date.year());
  const std::int64_t from = begin.at(year) - standard;
  const std::int64_t upto = end.at(year) - summer;
  const bool in_summer =
      from < upto ? seconds >= from && seconds < upto : seconds >= from || seconds < upto;
  return in_summer ? summer : standard;
}

// The 64-bit block and what stands behind it; false: they are damaged.
bool TimeZone::take(std::string_view block) {
  const auto counts = read_header(block);
  if (!counts.has_value() || counts->types == 0 || block.size() < kHeader + counts->bytes(8))
    return false;
  const std::string_view moments = block.substr(kHeader);
  const std::string_view kinds = moments.substr(counts->moments * 8);
  const std::string_view types = kinds.substr(counts->moments);
  const auto offset = [&](std::size_t type) {
    return static_cast<std::int32_t>(big_endian(types.substr(type * 6, 4)));
  };
  first_ = offset(0);
  for (std::size_t i = 0; i < counts->moments; ++i) {
    const auto type = static_cast<unsigned char>(kinds[i]);
    if (type >= counts->types) return false;
    moments_.push_back(static_cast<std::int64_t>(big_endian(moments.substr(i * 8, 8))));
    offsets_.push_back(offset(type));
  }
  std::string_view rule = block.substr(kHeader + counts->bytes(8));
  if (!std::is_sorted(moments_.begin(), moments_.end()) || rule.size() < 2 ||
      rule.front() != '\n' || rule.back() != '\n')
    return false;
  rule = rule.substr(1, rule.size() - 2);
  rule_.standard = offsets_.empty() ? first_ : offsets_.back();
  if (rule.empty()) return true;
  const auto read = Reader(rule).rule();
  if (read.has_value()) rule_ = *read;
  return read.has_value();
}

std::string date_text(std::chrono::year_month_day date) {
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

Result<TimeZone> TimeZone::named(const std::string& name) {
  TimeZone zone;
  zone.name_ = name;
  if (name == "UTC") return zone;
  const auto file = file_bytes(is_name(name) ? folder() + "/" + name : "");
  const auto first = file.has_value() ? read_header(*file) : std::nullopt;
  if (!first.has_value())
    return hinted(fail(Fault::invalid, "read the time zone {}: there is none of that name", name),
                  "name it as the tz database does, e.g. Europe/Berlin");
  const std::string_view bytes = *file;
  const std::size_t before = kHeader + first->bytes(4);
  if (bytes[4] < '2' || bytes.size() < before || !zone.take(bytes.substr(before)))
    return fail(Fault::invalid,
                "read the time zone {}: its file is damaged, or older than version 2", name);
  return zone;
}

std::int32_t TimeZone::offset(std::int64_t micros) const {
  const std::int64_t seconds = floor_of(micros, kSecond);
  const auto after = std::upper_bound(moments_.begin(), moments_.end(), seconds);
  if (after == moments_.end()) return rule_.offset(seconds);
  if (after == moments_.begin()) return first_;
  return offsets_[static_cast<std::size_t>(after - moments_.begin()) - 1];
}

std::int64_t TimeZone::moment(std::chrono::year_month_day date, std::int64_t clock) const {
  const std::int64_t utc = day_number(date) * kDaySeconds * kSecond + clock;
  const std::int64_t before = offset(utc - kDaySeconds * kSecond) * kSecond;
  const std::int64_t after = offset(utc + kDaySeconds * kSecond) * kSecond;
  for (const std::int64_t east : {before, after})
    if (offset(utc - east) * kSecond == east) return utc - east;
  return utc - before;
}

LocalTime local_time(std::int64_t micros, const TimeZone& zone) {
  const std::int32_t offset = zone.offset(micros);
  const std::int64_t wall = micros + std::int64_t{offset} * kSecond;
  const std::int64_t day = floor_of(wall, kDaySeconds * kSecond);
  return {date_of(day), wall - day * kDaySeconds * kSecond, offset};
}

}  // namespace vestige
