#include "vestige/base/period.h"

#include <gtest/gtest.h>

#include "vestige/base/time.h"

namespace vestige {
namespace {

std::string period(std::string_view text, const std::string& zone = "UTC") {
  const auto read = read_period(text, *TimeZone::named(zone));
  if (!read.has_value()) return read.error().message;
  return format_time(read->first).substr(0, 16) + " " + format_time(read->second).substr(0, 16);
}

TEST(Period, IsReadAsPeopleNameIt) {
  EXPECT_EQ(period("2026"), "2026-01-01T00:00 2027-01-01T00:00");
  EXPECT_EQ(period("2026Q1"), "2026-01-01T00:00 2026-04-01T00:00");
  EXPECT_EQ(period("2026-Q4"), "2026-10-01T00:00 2027-01-01T00:00");
  EXPECT_EQ(period("2026-11"), "2026-11-01T00:00 2026-12-01T00:00");
  EXPECT_EQ(period("2024-02"), "2024-02-01T00:00 2024-03-01T00:00");
  EXPECT_EQ(period("2026-12-31"), "2026-12-31T00:00 2027-01-01T00:00");
}

TEST(Period, HasDaysOf23And25Hours) {
  EXPECT_EQ(period("2026-03-29", "Europe/Berlin"), "2026-03-28T23:00 2026-03-29T22:00");
  EXPECT_EQ(period("2026-10-25", "Europe/Berlin"), "2026-10-24T22:00 2026-10-25T23:00");
  EXPECT_EQ(period("2026-03-08", "America/New_York"), "2026-03-08T05:00 2026-03-09T04:00");
  EXPECT_EQ(period("2026-11-01", "America/New_York"), "2026-11-01T04:00 2026-11-02T05:00");
  EXPECT_EQ(period("2026-04-05", "Australia/Lord_Howe"), "2026-04-04T13:00 2026-04-05T13:30");
  EXPECT_EQ(period("2026-10-04", "Australia/Lord_Howe"), "2026-10-03T13:30 2026-10-04T13:00");
}

TEST(Period, IsNothingElse) {
  for (const char* text :
       {"",       "26",          "202",        "20266",    "0000",      "2026-",
        "2026-1", "2026-13",     "2026-00",    "2026Q0",   "2026Q5",    "2026Q",
        "2026q1", "2026-02-29",  "2026-11-31", "2026-11-", "2026-11-1", "2026-11-011",
        "-026",   "2026-11-28 ", "2026/11",    "+026"})
    EXPECT_EQ(period(text), fmt::format("read the period '{}': it is none", text));
}

}  // namespace
}  // namespace vestige
