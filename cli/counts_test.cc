#include "cli/counts.h"

#include <gtest/gtest.h>

namespace vestige::cli {
namespace {

TEST(Counts, AreGroupedByThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-123456), "-123,456");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(counted(1, "change"), "1 change");
  EXPECT_EQ(counted(12000, "change"), "12,000 changes");
}

TEST(Counts, ProgressSaysHowManyAndHowFast) {
  EXPECT_EQ(progress_text("vestige revert", 1, 0, 0), "vestige revert … 1 s");
  EXPECT_EQ(progress_text("vestige verify", 3, 120000, 0),
            "vestige verify … 3 s, 120,000 so far, 40,000/s");
  EXPECT_EQ(progress_text("vestige track", 2, 3, 1200), "vestige track … 2 s, 3 of 1,200");
}

}  // namespace
}  // namespace vestige::cli
