// Moments as people write them, and as their clocks show them.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <optional>
#include <utility>

#include "vestige/base/time.h"

namespace vestige {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;
constexpr std::int64_t kFirst = -719'162 * kDay;      // 0001-01-01T00:00:00Z
constexpr std::int64_t kLast = 2'932'897 * kDay - 1;  // 9999-12-31T23:59:59.999999Z

// What stands on the wall: a date, and microseconds since its midnight.
struct Wall {
  std::chrono::year_month_day date;
  std::int64_t clock = 0;
};

std::int64_t floor_of(std::int64_t micros, std::int64_t unit) {
  return micros / unit - (micros % unit < 0 ? 1 : 0);
}

Wall wall_in_utc(std::int64_t micros) {
  const std::int64_t day = floor_of(micros, kDay);
  // No product of the first day that there is with kDay can be taken.
  const std::int64_t clock = micros % kDay;
  return {std::chrono::sys_days(std::chrono::days(day)), clock < 0 ? clock + kDay : clock};
}

std::tm local_time(std::int64_t micros) {
  const std::time_t seconds = floor_of(micros, kSecond);
  std::tm out = {};
  localtime_r(&seconds, &out);
  return out;
}

Wall wall_at(std::int64_t micros, Zone zone) {
  if (zone == Zone::utc) return wall_in_utc(micros);
  const std::tm local = local_time(micros);
  return wall_in_utc(micros + local.tm_gmtoff * kSecond);
}

std::int64_t in_utc(const Wall& wall) {
  return std::chrono::sys_days(wall.date).time_since_epoch().count() * kDay + wall.clock;
}

// Of a time that comes twice, when clocks are put back, the first; one that is left out is as late after the gap.
std::int64_t moment_of(const Wall& wall, Zone zone) {
  const std::int64_t utc = in_utc(wall);
  if (zone == Zone::utc) return utc;
  const std::int64_t before = local_time(utc - kDay).tm_gmtoff * kSecond;
  const std::int64_t after = local_time(utc + kDay).tm_gmtoff * kSecond;
  for (const std::int64_t offset : {before, after})
    if (wall_at(utc - offset, zone).clock == wall.clock) return utc - offset;
  return utc - before;
}

// Reads a text from its beginning.
class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}
  bool ended() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void spaces() {
    while (take(' ')) continue;
  }
  // Exactly so many digits.
  std::optional<int> digits(std::size_t width) {
    if (rest_.size() < width) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, width)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(width);
    return value;
  }
  std::optional<std::int64_t> number() {
    std::int64_t value = 0;
    if (rest_.empty() || rest_.front() == '-') return std::nullopt;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  // ".25" as millionths; nothing where a point stands without digits.
  std::optional<std::int64_t> fraction() {
    std::int64_t value = 0;
    if (!take('.') && !take(',')) return value;
    std::int64_t scale = kSecond / 10;
    const std::size_t before = rest_.size();
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; scale /= 10) {
      value += (rest_.front() - '0') * scale;
      rest_.remove_prefix(1);
    }
    return before == rest_.size() ? std::nullopt : std::optional(value);
  }
  // Letters, in small ones.
  std::string word() {
    std::string out;
    for (; !rest_.empty(); rest_.remove_prefix(1)) {
      const char c = static_cast<char>(rest_.front() | 0x20);
      if (c < 'a' || c > 'z') break;
      out += c;
    }
    return out;
  }

 private:
  std::string_view rest_;
};

using Moment = std::optional<std::int64_t>;

// ±hh:mm, ±hhmm, ±hh or Z, in microseconds.
Moment offset(Scan& scan) {
  if (scan.take('Z') || scan.take('z')) return 0;
  const bool minus = scan.take('-');
  if (!minus && !scan.take('+')) return std::nullopt;
  const auto hours = scan.digits(2);
  if (!hours || *hours > 23) return std::nullopt;
  int minutes = 0;
  if (!scan.ended()) {
    scan.take(':');
    const auto read = scan.digits(2);
    if (!read || *read > 59) return std::nullopt;
    minutes = *read;
  }
  const std::int64_t out = (*hours * 60 + minutes) * 60 * kSecond;
  return minus ? -out : out;
}

// hh:mm, hh:mm:ss, hh:mm:ss.s…, in microseconds since midnight.
Moment time_of_day(Scan& scan) {
  const auto hour = scan.digits(2);
  if (!hour || *hour > 23 || !scan.take(':')) return std::nullopt;
  const auto minute = scan.digits(2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t clock = (*hour * 60 + *minute) * 60 * kSecond;
  if (!scan.take(':')) return clock;
  const auto second = scan.digits(2);
  if (!second || *second > 59) return std::nullopt;
  const auto fraction = scan.rest().starts_with(',') ? std::nullopt : scan.fraction();
  if (!fraction) return std::nullopt;
  return clock + *second * kSecond + *fraction;
}

// 2026-01, 2026-01-31, 2026-01-31T12:00:00+02:00
Moment calendar_moment(std::string_view text, const Now& now) {
  Scan scan(text);
  const auto year = scan.digits(4);
  if (!year || *year < 1 || !scan.take('-')) return std::nullopt;
  const auto month = scan.digits(2);
  if (!month) return std::nullopt;
  const bool whole = scan.ended();
  if (!whole && !scan.take('-')) return std::nullopt;
  const auto day = whole ? std::optional(1) : scan.digits(2);
  if (!day) return std::nullopt;
  Wall wall = {{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                std::chrono::day(static_cast<unsigned>(*day))},
               0};
  if (!wall.date.ok()) return std::nullopt;
  if (scan.ended()) return moment_of(wall, now.zone);
  if (!scan.take('T') && !scan.take('t') && !scan.take(' ')) return std::nullopt;
  const auto clock = time_of_day(scan);
  if (!clock) return std::nullopt;
  wall.clock = *clock;
  if (scan.ended()) return moment_of(wall, now.zone);
  scan.take(' ');
  const auto said = offset(scan);
  if (!said || !scan.ended()) return std::nullopt;
  return in_utc(wall) - *said;
}

// today, yesterday, monday, each also with a time of day; 09:30.
Moment day_moment(std::string_view text, const Now& now) {
  Scan scan(text);
  const std::string word = scan.word();
  Wall wall = wall_at(now.micros, now.zone);
  const std::int64_t clock_now = std::exchange(wall.clock, 0);
  const std::chrono::sys_days today(wall.date);
  constexpr std::array<std::string_view, 7> kDays = {"sunday",   "monday", "tuesday", "wednesday",
                                                     "thursday", "friday", "saturday"};
  const auto weekday = std::find_if(kDays.begin(), kDays.end(), [&](std::string_view day) {
    return word == day || (word.size() == 3 && day.starts_with(word));
  });
  if (word == "yesterday") {
    wall.date = today - std::chrono::days(1);
  } else if (weekday != kDays.end()) {
    const auto wanted = static_cast<unsigned>(weekday - kDays.begin());
    const unsigned since = (std::chrono::weekday(today).c_encoding() + 7 - wanted) % 7;
    wall.date = today - std::chrono::days(since);
  } else if (!word.empty() && word != "today") {
    return std::nullopt;
  }
  if (scan.ended()) return word.empty() ? std::nullopt : Moment(moment_of(wall, now.zone));
  if (!word.empty()) {
    if (!scan.take(' ')) return std::nullopt;
    scan.spaces();
  }
  const auto clock = time_of_day(scan);
  if (!clock || !scan.ended()) return std::nullopt;
  wall.clock = *clock;
  if (word.empty() && *clock > clock_now) wall.date = today - std::chrono::days(1);
  return moment_of(wall, now.zone);
}

// The same day and time, so many months before; the last day of a month that has no such day.
std::int64_t months_before(std::int64_t micros, std::int64_t months, Zone zone) {
  Wall wall = wall_at(micros, zone);
  const std::chrono::year_month month =
      std::chrono::year_month(wall.date.year(), wall.date.month()) -
      std::chrono::months(static_cast<int>(months));
  const std::chrono::day last =
      std::chrono::year_month_day_last(month.year(), std::chrono::month_day_last(month.month()))
          .day();
  wall.date = month / std::min(wall.date.day(), last);
  return moment_of(wall, zone);
}

struct Unit {
  std::string_view names;  // " s sec second "
  std::int64_t micros;     // 0: of a calendar
  std::int64_t months;
};

const Unit* unit_of(const std::string& word) {
  static constexpr std::array<Unit, 7> kUnits = {{{" s sec secs second seconds ", kSecond, 0},
                                                  {" m min mins minute minutes ", 60 * kSecond, 0},
                                                  {" h hr hrs hour hours ", 3600 * kSecond, 0},
                                                  {" d day days ", kDay, 0},
                                                  {" w week weeks ", 7 * kDay, 0},
                                                  {" mo month months ", 0, 1},
                                                  {" y yr yrs year years ", 0, 12}}};
  if (word.empty()) return nullptr;
  const auto found = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& unit) {
    return unit.names.find(" " + word + " ") != std::string_view::npos;
  });
  return found == kUnits.end() ? nullptr : &*found;
}

// 90s, 1.5h, 2 hours ago, 1h30m
Moment age_moment(std::string_view text, const Now& now) {
  Scan scan(text);
  std::int64_t moment = now.micros;
  do {
    const auto count = scan.number();
    const auto fraction = scan.fraction();
    if (!count || !fraction) return std::nullopt;
    scan.spaces();
    const Unit* unit = unit_of(scan.word());
    if (unit == nullptr || *count > 10'000'000'000) return std::nullopt;
    if (unit->months > 0) {
      if (*fraction != 0 || *count > 120'000) return std::nullopt;
      moment = months_before(moment, *count * unit->months, now.zone);
    } else {
      if (*count > (kLast - kFirst) / unit->micros) return std::nullopt;
      moment -= *count * unit->micros + unit->micros / kSecond * *fraction;
    }
    if (moment < kFirst) return std::nullopt;
    scan.spaces();
  } while (!scan.ended() && scan.rest() != "ago");
  return moment;
}

// @1767268800.5
Moment epoch_moment(std::string_view text, const Now&) {
  Scan scan(text);
  if (!scan.take('@')) return std::nullopt;
  const bool minus = scan.take('-');
  const auto seconds = scan.number();
  const auto fraction = scan.fraction();
  if (!seconds || !fraction || !scan.ended() || *seconds > kLast / kSecond) return std::nullopt;
  const std::int64_t micros = *seconds * kSecond + *fraction;
  return minus ? -micros : micros;
}

// "2026-11-30 09:31:07.000001". Each change of a long listing has one: a format would take a tenth of all that it takes to
// read and print it.
std::string written(const Wall& wall, char between) {
  const int year = static_cast<int>(wall.date.year());
  const bool usual = year >= 0 && year <= 9999;
  std::string out = (usual ? "0000" : fmt::format("{:04}", year)) + "-00-00 00:00:00.000000";
  const std::size_t from = out.size() - 22;  // behind the year
  const auto put = [&out, from](std::size_t end, std::int64_t number) {
    for (end += from; number != 0; number /= 10) out[--end] += static_cast<char>(number % 10);
  };
  if (usual) put(0, year);
  put(3, static_cast<unsigned>(wall.date.month()));
  put(6, static_cast<unsigned>(wall.date.day()));
  out[from + 6] = between;
  put(9, wall.clock / (3600 * kSecond));
  put(12, wall.clock / (60 * kSecond) % 60);
  put(15, wall.clock / kSecond % 60);
  put(22, wall.clock % kSecond);
  return out;
}

constexpr const char* kZones = "/usr/share/zoneinfo/";

// The name under which the system's own zone stands in the tz database.
std::string system_zone() {
  std::error_code failed;
  const std::string path = std::filesystem::read_symlink("/etc/localtime", failed).string();
  const std::size_t place = path.find("zoneinfo/");
  return failed || place == std::string::npos ? "" : path.substr(place + 9);
}

}  // namespace

Result<std::int64_t> parse_time(std::string_view text, const Now& now) {
  if (text == "now") return now.micros;
  for (const auto reads : {calendar_moment, age_moment, day_moment, epoch_moment})
    if (const Moment moment = reads(text, now);
        moment.has_value() && *moment >= kFirst && *moment <= kLast)
      return *moment;
  return hinted(fail(Fault::invalid, "read the time '{}': not a moment", text),
                "write 2026-01-31T12:00:00Z, 2026-01-31, 2026-01, yesterday, monday, 09:30, or an "
                "age such as 2h or 7d");
}

std::string wall_time(std::int64_t micros, Zone zone) {
  return written(wall_at(micros, zone), ' ');
}

std::string offset_time(std::int64_t micros, Zone zone) {
  if (zone == Zone::utc) return format_time(micros);
  const std::int64_t minutes = local_time(micros).tm_gmtoff / 60;
  if (minutes == 0) return format_time(micros);
  return fmt::format("{}{}{:02}:{:02}", written(wall_at(micros, zone), 'T'),
                     minutes < 0 ? '-' : '+', std::abs(minutes) / 60, std::abs(minutes) % 60);
}

std::string zone_name(Zone zone) {
  if (zone == Zone::utc) return "UTC";
  const char* set = std::getenv("TZ");
  std::string name = set != nullptr ? set : system_zone();
  if (name.starts_with(':')) name.erase(0, 1);
  if (name.ends_with("UTC") || name.empty() || name == "UCT" || name == "Zulu") return "UTC";
  // What is no name of a place is a rule, "CET-1CEST"; its zone has a name.
  std::error_code failed;
  if (!std::filesystem::exists(kZones + name, failed)) return local_time(clock_now()).tm_zone;
  return name.substr(name.rfind('/') + 1);
}

Result<void> set_local_zone(const std::string& name) {
  std::string zone = name;
  std::error_code failed;
  const std::string path = kZones + name;
  const bool inside = !name.empty() && name[0] != '/' && name.find("..") == std::string::npos;
  if (Scan scan(name); name.starts_with('+') || name.starts_with('-')) {
    const auto east = offset(scan);
    if (!east || !scan.ended())
      return hinted(fail(Fault::invalid, "use the time zone '{}': not an offset", name),
                    "write +02:00, or a name such as Europe/Berlin");
    const std::int64_t minutes = *east / (60 * kSecond);
    // POSIX counts westwards, and takes no colon into a name.
    zone = fmt::format("<{0}{2:02}{3:02}>{1}{2:02}:{3:02}", minutes < 0 ? '-' : '+',
                       minutes > 0 ? '-' : '+', std::abs(minutes) / 60, std::abs(minutes) % 60);
  } else if (name == "UTC" || name == "utc" || name == "Z") {
    zone = "UTC0";
  } else if (!inside || !std::filesystem::is_regular_file(path, failed)) {
    return hinted(fail(Fault::invalid, "use the time zone '{}': there is none of that name", name),
                  "write a name of the tz database, Europe/Berlin or UTC, or an offset, +02:00");
  }
  setenv("TZ", zone.c_str(), 1);
  tzset();
  return {};
}

}  // namespace vestige
