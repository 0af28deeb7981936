#include "vestige/base/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

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

TEST(Time, RefusesWhatIsNotAMoment) {
  for (const std::string_view text : {"",
                                      " ",
                                      "yesterday",
                                      "2026",
                                      "2026-01",
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
                                      "1y",
                                      "1h2m",
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
