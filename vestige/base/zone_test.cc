#include "vestige/base/zone.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <set>
#include <sstream>

#include "test/temporary_directory.h"
#include "vestige/base/time.h"

namespace vestige {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

TimeZone zone(const std::string& name) { return std::move(TimeZone::named(name)).take(); }

std::string wall(std::int64_t micros, const TimeZone& zone) {
  const LocalTime local = local_time(micros, zone);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} {:+}", static_cast<int>(local.date.year()),
                     static_cast<unsigned>(local.date.month()),
                     static_cast<unsigned>(local.date.day()), local.hour(), local.minute(),
                     local.offset);
}

// The moments and what stands there are from Python's zoneinfo.
TEST(TimeZone, ChangesItsClocksTwiceAYear) {
  const struct {
    const char* zone;
    std::int64_t turn;  // the second from which on it holds
    const char* before;
    const char* after;
  } cases[] = {
      {"Europe/Berlin", 1774746000, "2026-03-29 01:59 +3600", "2026-03-29 03:00 +7200"},
      {"Europe/Berlin", 1792890000, "2026-10-25 02:59 +7200", "2026-10-25 02:00 +3600"},
      {"America/New_York", 1772953200, "2026-03-08 01:59 -18000", "2026-03-08 03:00 -14400"},
      {"America/New_York", 1793512800, "2026-11-01 01:59 -14400", "2026-11-01 01:00 -18000"},
      {"Australia/Lord_Howe", 1775314800, "2026-04-05 01:59 +39600", "2026-04-05 01:30 +37800"},
      {"Australia/Lord_Howe", 1791041400, "2026-10-04 01:59 +37800", "2026-10-04 02:30 +39600"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(wall(one.turn * kSecond - 1, zone(one.zone)), one.before) << one.zone;
    EXPECT_EQ(wall(one.turn * kSecond, zone(one.zone)), one.after) << one.zone;
  }
}

TEST(TimeZone, KnowsYearsThatItsFileDoesNotList) {
  EXPECT_EQ(zone("Europe/Berlin").offset(4070908800 * kSecond), 3600);  // January and July 2099
  EXPECT_EQ(zone("Europe/Berlin").offset(4086547200 * kSecond), 7200);
  EXPECT_EQ(zone("America/New_York").offset(4070908800 * kSecond), -18000);
  EXPECT_EQ(zone("America/New_York").offset(4086547200 * kSecond), -14400);
  EXPECT_EQ(zone("Asia/Kathmandu").offset(473385600 * kSecond), 19800);
}

TEST(TimeZone, SaysWhenADayBegins) {
  const auto begins = [](const char* name, int year, unsigned month, unsigned day) {
    return format_time(zone(name).moment(std::chrono::year(year) / month / day));
  };
  EXPECT_EQ(begins("UTC", 2026, 3, 29), "2026-03-29T00:00:00.000000Z");
  EXPECT_EQ(begins("Europe/Berlin", 2026, 3, 29), "2026-03-28T23:00:00.000000Z");
  EXPECT_EQ(begins("Europe/Berlin", 2026, 3, 30), "2026-03-29T22:00:00.000000Z");  // 23 hours later
  EXPECT_EQ(begins("Europe/Berlin", 2026, 10, 26), "2026-10-25T23:00:00.000000Z");
  EXPECT_EQ(begins("America/New_York", 2026, 11, 1), "2026-11-01T04:00:00.000000Z");
  EXPECT_EQ(begins("America/New_York", 2026, 11, 2), "2026-11-02T05:00:00.000000Z");
  // There it had no midnight: clocks went from 23:59 to 01:00.
  EXPECT_EQ(begins("America/Sao_Paulo", 2018, 11, 4), "2018-11-04T03:00:00.000000Z");
}

TEST(TimeZone, TakesTheFirstOfATimeThatComesTwice) {
  const auto date = std::chrono::year(2026) / 10 / 25;
  EXPECT_EQ(format_time(zone("Europe/Berlin").moment(date, 9000 * kSecond)),
            "2026-10-25T00:30:00.000000Z");
}

std::set<std::string> names() {
  std::set<std::string> out = {"UTC", "Etc/GMT+5"};
  std::ifstream file("/usr/share/zoneinfo/tzdata.zi");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kind, first, second;
    words >> kind >> first >> second;
    if (kind == "Z") out.insert(first);
    if (kind == "L") out.insert(second);
  }
  return out;
}

TEST(TimeZone, IsWhatTheSystemsOwnReaderSays) {
  const auto all = names();
  ASSERT_GT(all.size(), 300U);
  const std::string before = std::getenv("TZ") == nullptr ? "" : std::getenv("TZ");
  for (const std::string& name : all) {
    const TimeZone here = zone(name);
    setenv("TZ", (":" + name).c_str(), 1);
    tzset();
    // 1911 to 2087, at steps that meet every hour of the day and every day of the year.
    for (std::time_t at = -1'860'000'000; at < 3'700'000'000; at += 5'177'777) {
      std::tm local = {};
      localtime_r(&at, &local);
      ASSERT_EQ(here.offset(at * kSecond), local.tm_gmtoff) << name << " " << at;
    }
  }
  if (before.empty()) unsetenv("TZ");
  else setenv("TZ", before.c_str(), 1);
  tzset();
}

TEST(TimeZone, IsNoFileOfOthers) {
  for (const char* name : {"", "/etc/passwd", "../../../etc/passwd", "Europe/", "Europe",
                           "Nowhere/At_All", "Europe/Berlin\n", "tzdata.zi"}) {
    const auto read = TimeZone::named(name);
    ASSERT_FALSE(read.has_value()) << name;
    EXPECT_EQ(read.error().message,
              fmt::format("read the time zone {}: there is none of that name", name));
  }
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(TimeZone, OfADamagedFileIsRefusedOrReadAndNeverMore) {
  const std::string whole = bytes_of("/usr/share/zoneinfo/Europe/Berlin");
  const TemporaryDirectory folder;
  setenv("TZDIR", folder.path().c_str(), 1);
  const auto read = [&](const std::string& bytes) {
    folder.write("Cut", bytes);
    return TimeZone::named("Cut");
  };
  for (std::size_t length = 0; length < whole.size(); length += 17) {
    const auto cut = read(whole.substr(0, length));
    ASSERT_FALSE(cut.has_value()) << length;
  }
  EXPECT_EQ(read(whole.substr(0, 200)).error().message,
            "read the time zone Cut: its file is damaged, or older than version 2");
  for (std::size_t place = 0; place < whole.size(); place += 13) {
    std::string flipped = whole;
    flipped[place] = static_cast<char>(flipped[place] ^ 0x80);
    const auto damaged = read(flipped);
    if (damaged.has_value()) local_time(1'792'890'000 * kSecond, *damaged);
  }
  unsetenv("TZDIR");
}

}  // namespace
}  // namespace vestige
