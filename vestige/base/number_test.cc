#include "vestige/base/number.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace vestige {
namespace {

TEST(WholeNumber, IsAllOfTheText) {
  EXPECT_EQ(whole_number<std::int64_t>("17"), 17);
  EXPECT_EQ(whole_number<std::int64_t>("-9223372036854775808"),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(whole_number<std::uint64_t>("18446744073709551615"),
            std::numeric_limits<std::uint64_t>::max());
  for (const char* text : {"", " 17", "17 ", "+17", "1.5", "0x1", "9223372036854775808", "-"})
    EXPECT_EQ(whole_number<std::int64_t>(text), std::nullopt) << text;
  EXPECT_EQ(whole_number<std::uint64_t>("-1"), std::nullopt);
}

}  // namespace
}  // namespace vestige
