#include "vestige/report/report_file.h"

#include <gtest/gtest.h>

#include "test/temporary_directory.h"

namespace vestige {
namespace {

Result<ReportSettings> read(const std::string& text) {
  const TemporaryDirectory folder;
  const Toml file = TRY(read_toml(folder.write("vestige.toml", text)));
  return read_report_settings(*TRY(file.find("report")->as_table()));
}

TEST(ReportFile, IsRead) {
  const auto settings = read(R"(
[report]
timezone = "Europe/Berlin"
applications = ["app", "batch"]
[report.daily]
field = "accounts.balance"
over = "100.50"
often = 5
within = "1h30m"
[report.refunds]
title = "Refunds"
filter = "table:orders refund"
group_by = ["day", "who"]
sum = ["delta.amount"]
)");
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->time_zone, "Europe/Berlin");
  EXPECT_EQ(settings->applications, (std::vector<std::string>{"app", "batch"}));
  EXPECT_EQ(settings->field, "accounts.balance");
  EXPECT_EQ(settings->over, "100.50");
  EXPECT_EQ(settings->often, 5);
  EXPECT_EQ(settings->within, 5'400'000'000);
  ASSERT_TRUE(settings->own.contains("refunds"));
  EXPECT_EQ(settings->own.at("refunds").sum, std::vector<std::string>{"delta.amount"});
}

// "1", which is no length of time, and what has no beginning.
TEST(ReportFile, RefusesWhatIsNoLengthOfTime) {
  for (const char* text : {"yesterday", "1", "", "-1h", "2026-01-01", "09:30"}) {
    const auto settings = read(fmt::format("[report.daily]\nwithin = \"{}\"\n", text));
    ASSERT_FALSE(settings.has_value()) << text;
    EXPECT_EQ(settings.error().message,
              fmt::format("read vestige.toml:2:10: '{}' is no length of time", text));
  }
}

}  // namespace
}  // namespace vestige
