#include "vestige/base/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <ctime>
#include <limits>
#include <tuple>

namespace vestige {
namespace {

constexpr std::int64_t kNow = 1'767'268'800'000'000;  // 2026-01-01T12:00:00Z
constexpr std::int64_t kFirst = -62'135'596'800'000'000;
constexpr std::int64_t kLast = 253'402'300'799'999'999;

std::string read(std::string_view text) {
  const auto moment = parse_time(text, kNow);
  return moment.has_value() ? format_time(*moment) : moment.error().message;
}

TEST(Time, IsWrittenInUtcWithSixDigits) {
  EXPECT_EQ(format_time(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_time(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_time(253402300799999999), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_time(253402300800000000), "10000-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_time(-62167219200000000), "0000-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_time(-62167219200000001), "-001-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_time(std::numeric_limits<std::int64_t>::max()), "32103-01-10T04:00:54.775807Z");
  EXPECT_EQ(format_time(std::numeric_limits<std::int64_t>::min() + 1),
            "-28164-12-21T19:59:05.224193Z");
  EXPECT_EQ(format_time(kNow + 42), "2026-01-01T12:00:00.000042Z");
  EXPECT_EQ(format_time(kFirst), "0001-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_time(kLast), "9999-12-31T23:59:59.999999Z");
}

TEST(Time, IsReadAsPeopleWriteIt) {
  const struct {
    std::string_view text;
    std::string_view moment;
  } cases[] = {
      {"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000Z"},
      {"2026-01-31t12:00:00z", "2026-01-31T12:00:00.000000Z"},
      {"2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00.000000Z"},
      {"2026-01-31T12:00:00-0530", "2026-01-31T17:30:00.000000Z"},
      {"2026-01-31T12:00:00+02", "2026-01-31T10:00:00.000000Z"},
      {"2026-01-31 12:00:00", "2026-01-31T12:00:00.000000Z"},
      {"2026-01-31 12:00", "2026-01-31T12:00:00.000000Z"},
      {"2026-01-31", "2026-01-31T00:00:00.000000Z"},
      {"2024-02-29", "2024-02-29T00:00:00.000000Z"},
      {"2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.500000Z"},
      {"2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123456Z"},
      {"now", "2026-01-01T12:00:00.000000Z"},
      {"90s", "2026-01-01T11:58:30.000000Z"},
      {"15m", "2026-01-01T11:45:00.000000Z"},
      {"2h", "2026-01-01T10:00:00.000000Z"},
      {"2h ago", "2026-01-01T10:00:00.000000Z"},
      {"7d", "2025-12-25T12:00:00.000000Z"},
      {"4w", "2025-12-04T12:00:00.000000Z"},
      {"0s", "2026-01-01T12:00:00.000000Z"},
  };
  for (const auto& [text, moment] : cases) EXPECT_EQ(read(text), moment) << text;
}

// 2026-01-01 was a Thursday.
TEST(Time, DaysBeginAtMidnight) {
  const struct {
    std::string_view text;
    std::string_view moment;
  } cases[] = {
      {"2026-01", "2026-01-01T00:00:00.000000Z"},
      {"today", "2026-01-01T00:00:00.000000Z"},
      {"Yesterday", "2025-12-31T00:00:00.000000Z"},
      {"yesterday 09:30", "2025-12-31T09:30:00.000000Z"},
      {"thursday", "2026-01-01T00:00:00.000000Z"},
      {"friday", "2025-12-26T00:00:00.000000Z"},
      {"wed", "2025-12-31T00:00:00.000000Z"},
      {"Monday 23:59:59.5", "2025-12-29T23:59:59.500000Z"},
      {"09:30", "2026-01-01T09:30:00.000000Z"},
      {"12:00", "2026-01-01T12:00:00.000000Z"},
      {"12:01", "2025-12-31T12:01:00.000000Z"},
      {"@0", "1970-01-01T00:00:00.000000Z"},
      {"@1767268800", "2026-01-01T12:00:00.000000Z"},
      {"@1767268800.25", "2026-01-01T12:00:00.250000Z"},
      {"@-1", "1969-12-31T23:59:59.000000Z"},
      {"2026-01-31 12:00:00 +02:00", "2026-01-31T10:00:00.000000Z"},
  };
  for (const auto& [text, moment] : cases) EXPECT_EQ(read(text), moment) << text;
}

TEST(Time, AgesAreSaidInManyWays) {
  const struct {
    std::string_view text;
    std::string_view moment;
  } cases[] = {
      {"1.5h", "2026-01-01T10:30:00.000000Z"},        {"0.5s", "2026-01-01T11:59:59.500000Z"},
      {"2 hours ago", "2026-01-01T10:00:00.000000Z"}, {"2 Hours", "2026-01-01T10:00:00.000000Z"},
      {"1h30m", "2026-01-01T10:30:00.000000Z"},       {"1d 2h ago", "2025-12-31T10:00:00.000000Z"},
      {"1y", "2025-01-01T12:00:00.000000Z"},          {"10mo", "2025-03-01T12:00:00.000000Z"},
      {"1 month", "2025-12-01T12:00:00.000000Z"},
  };
  for (const auto& [text, moment] : cases) EXPECT_EQ(read(text), moment) << text;
  // A month before a day that it does not have: its last one.
  const auto end_of_march = parse_time("2026-03-31T12:00Z", 0);
  EXPECT_EQ(format_time(*parse_time("1mo", *end_of_march)), "2026-02-28T12:00:00.000000Z");
}

// Where the zone of the process is another.
class TimeZones : public testing::Test {
 protected:
  TimeZones() : before_(std::getenv("TZ") == nullptr ? "" : std::getenv("TZ")) {}
  ~TimeZones() override {
    if (before_.empty()) unsetenv("TZ");
    else setenv("TZ", before_.c_str(), 1);
    tzset();
  }
  static std::string local(std::string_view text, std::int64_t now = kNow) {
    const auto moment = parse_time(text, Now(now, Zone::local));
    return moment.has_value() ? offset_time(*moment, Zone::local) : moment.error().message;
  }

 private:
  std::string before_;
};

TEST_F(TimeZones, WhatHasNoZoneIsInThatOfTheProcess) {
  ASSERT_TRUE(set_local_zone("Europe/Berlin").has_value());
  EXPECT_EQ(zone_name(Zone::local), "Berlin");
  EXPECT_EQ(local("2026-07-01"), "2026-07-01T00:00:00.000000+02:00");
  EXPECT_EQ(local("2026-01"), "2026-01-01T00:00:00.000000+01:00");
  EXPECT_EQ(local("2026-07-01T00:00:00Z"), "2026-07-01T02:00:00.000000+02:00");
  EXPECT_EQ(local("today"), "2026-01-01T00:00:00.000000+01:00");
  EXPECT_EQ(local("12:30"), "2026-01-01T12:30:00.000000+01:00");
  EXPECT_EQ(local("6mo"), "2025-07-01T13:00:00.000000+02:00");
  EXPECT_EQ(wall_time(kNow, Zone::local), "2026-01-01 13:00:00.000000");
  EXPECT_EQ(wall_time(kNow, Zone::utc), "2026-01-01 12:00:00.000000");
  // Clocks are put forward on 2026-03-29 at 02:00, and back on 2026-10-25 at 03:00.
  EXPECT_EQ(local("2026-03-29 02:30"), "2026-03-29T03:30:00.000000+02:00");
  EXPECT_EQ(local("2026-10-25 02:30"), "2026-10-25T02:30:00.000000+02:00");
  EXPECT_EQ(local("2026-10-25 03:30"), "2026-10-25T03:30:00.000000+01:00");
}

TEST_F(TimeZones, AreNamedOrSaidAsAnOffset) {
  for (const auto& [zone, moment, name] :
       {std::tuple{"-03:30", "2026-01-01T08:30:00.000000-03:30", "-0330"},
        std::tuple{"+0200", "2026-01-01T14:00:00.000000+02:00", "+0200"},
        std::tuple{"UTC", "2026-01-01T12:00:00.000000Z", "UTC"},
        std::tuple{"America/New_York", "2026-01-01T07:00:00.000000-05:00", "New_York"}}) {
    ASSERT_TRUE(set_local_zone(zone).has_value()) << zone;
    EXPECT_EQ(offset_time(kNow, Zone::local), moment) << zone;
    EXPECT_EQ(zone_name(Zone::local), name) << zone;
  }
  for (const char* zone : {"", "Berlin", "../../etc/passwd", "/etc/passwd", "Europe", "Europe/"}) {
    const auto set = set_local_zone(zone);
    ASSERT_FALSE(set.has_value()) << zone;
    EXPECT_NE(set.error().message.find(": there is none of that name"), std::string::npos);
  }
  for (const char* zone : {"+2", "+25:00", "-"})
    EXPECT_EQ(set_local_zone(zone).error().message,
              "use the time zone '" + std::string(zone) + "': not an offset");
}

TEST_F(TimeZones, EveryLocalHourReadsBack) {
  for (const char* zone : {"Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"}) {
    ASSERT_TRUE(set_local_zone(zone).has_value()) << zone;
    for (std::int64_t hour = 0; hour < 24 * 366; ++hour) {
      const std::int64_t moment = kNow + hour * 3'600'000'000;
      const std::string text = wall_time(moment, Zone::local);
      const auto read = parse_time(text, Now(kNow, Zone::local));
      ASSERT_TRUE(read.has_value()) << text;
      EXPECT_EQ(wall_time(*read, Zone::local), text);
      EXPECT_LE(*read, moment);  // of an hour that comes twice the first
    }
  }
}

TEST(Time, OnlyWhatIsWrittenIsReadAsARecord) {
  EXPECT_EQ(read_time("x").error().message,
            "read a time: not written as 0000-00-00T00:00:00.000000Z");
  EXPECT_EQ(*read_time("2026-01-01T12:00:00.000000Z"), kNow);
  for (const char* text :
       {"", "now", "1d", "2026-01-01", "2026-01-01T12:00:00Z", "2026-01-01T12:00:00.000000z",
        "2026-01-01t12:00:00.000000Z", "2026-01-01T12:00:00.00000+Z", "2026-13-01T12:00:00.000000Z",
        "2026-01-01T12:00:00.0000000Z"})
    EXPECT_FALSE(read_time(text).has_value()) << text;
}

TEST(Time, RefusesWhatIsNotAMoment) {
  for (const std::string_view text : {"",
                                      " ",
                                      "xyesterday",
                                      "2026",
                                      "x2026-01",
                                      "2026-1-1",
                                      "2026-02-30",
                                      "2025-02-29",
                                      "2026-13-01",
                                      "2026-00-01",
                                      "2026-01-00",
                                      "0000-01-01",
                                      "2026-01-31T",
                                      "2026-01-31T12",
                                      "2026-01-31T24:00",
                                      "2026-01-31T12:60",
                                      "2026-01-31T12:00:60",
                                      "2026-01-31T12:00:00.",
                                      "2026-01-31T12:00:00.Z",
                                      "2026-01-31T12:00:00+",
                                      "2026-01-31T12:00:00+2",
                                      "2026-01-31T12:00:00+24:00",
                                      "2026-01-31T12:00:00+02:60",
                                      "2026-01-31T12:00:00+02:",
                                      "2026-01-31T12:00:00Zx",
                                      "2026-01-31x12:00:00",
                                      " 2026-01-31",
                                      "2026-01-31 ",
                                      "-1h",
                                      "+1h",
                                      "1",
                                      "h",
                                      "x1y",
                                      "x1h2m",
                                      "ago",
                                      " ago",
                                      "now ago",
                                      "99999999999999999999s"}) {
    const auto moment = parse_time(text, kNow);
    ASSERT_FALSE(moment.has_value()) << text;
    EXPECT_EQ(moment.error().fault, Fault::invalid) << text;
    EXPECT_EQ(moment.error().message, fmt::format("read the time '{}': not a moment", text));
    EXPECT_FALSE(moment.error().hint.empty());
  }
}

TEST(Time, RefusesMomentsThatCannotBeWrittenBack) {
  for (const std::string_view text : {"0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
                                      "1000000000w", "1000000000d", "200000w"})
    EXPECT_FALSE(parse_time(text, kNow).has_value()) << text;
}

TEST(Time, OfTheClockIsInThisCentury) {
  EXPECT_GT(clock_now(), kNow - 365 * 86'400'000'000);
  EXPECT_LT(clock_now(), kLast);
}

RC_GTEST_PROP(Time, ReadsBackWhatItWrites, ()) {
  const auto moment = *rc::gen::inRange(kFirst, kLast);
  const std::string text = format_time(moment);
  RC_ASSERT(text.size() == 27U);
  RC_ASSERT(*parse_time(text, kNow) == moment);
}

RC_GTEST_PROP(Time, CutAnywhereIsReadOrRefused, ()) {
  const std::string text = format_time(*rc::gen::inRange(kFirst, kLast));
  for (std::size_t size = 0; size < text.size(); ++size)
    (void)parse_time(std::string_view(text).substr(0, size), kNow);
}

}  // namespace
}  // namespace vestige
