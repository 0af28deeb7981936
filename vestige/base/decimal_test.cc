#include "vestige/base/decimal.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace vestige {
namespace {

TEST(CompareNumbers, InOrderHoweverTheyAreWritten) {
  const std::vector<std::vector<std::string>> rising = {
      {"-1e400", "-10e399"},
      {"-100000000000000000000000000001"},
      {"-100000000000000000000000000000", "-1e29"},
      {"-1.5", "-01.50", "-15e-1", "-.15e1"},
      {"-1e-400"},
      {"0", "-0", "+0", "0.00", "0e999", ".0"},
      {"1e-400"},
      {"0.1", ".1", "1e-1", "0.10", "+0.1"},
      {"0.1000000000000000055511151231257827"},
      {"7", "007", "7.", "7.0", "70e-1", "7E0", "7e+0"},
      {"9007199254740992"},
      {"9007199254740993", "9007199254740993.000"},
      {"1e400", "1e+400"}};
  for (std::size_t i = 0; i < rising.size(); ++i)
    for (std::size_t j = 0; j < rising.size(); ++j)
      for (const std::string& left : rising[i])
        for (const std::string& right : rising[j]) {
          const auto compared = compare_numbers(left, right);
          ASSERT_TRUE(compared.has_value()) << left << " " << right;
          EXPECT_EQ(*compared, i < j ? -1 : i > j ? 1 : 0) << left << " " << right;
        }
}

TEST(CompareNumbers, WhatIsNoNumeralIsNotCompared) {
  for (const std::string word : {"", "-", ".", "1x", "x1", "1e", "1e+", "1e+-2", "e1", "--1",
                                 "1.2.3", "1,5", "0x10", "Inf", "NaN", " 1", "1 ", "1e99999999999"})
    EXPECT_FALSE(compare_numbers(word, "1").has_value()) << word;
}

RC_GTEST_PROP(CompareNumbers, AgreesWithIntegers, (std::int64_t left, std::int64_t right)) {
  const auto compared = compare_numbers(std::to_string(left), std::to_string(right));
  RC_ASSERT(compared == std::optional<int>(left < right ? -1 : left > right ? 1 : 0));
}

std::string sum(std::string_view left, std::string_view right) {
  return add_numbers(left, right).value_or("none");
}

TEST(Decimal, IsAddedExactly) {
  EXPECT_EQ(sum("1", "2"), "3");
  EXPECT_EQ(sum("0.1", "0.2"), "0.3");
  EXPECT_EQ(sum("0.10", "0.2"), "0.30");
  EXPECT_EQ(sum("-5", "5"), "0");
  EXPECT_EQ(sum("-5.00", "5"), "0.00");
  EXPECT_EQ(sum("5", "-7"), "-2");
  EXPECT_EQ(sum("-0.05", "0.01"), "-0.04");
  EXPECT_EQ(sum("999999999999999999999", "1"), "1000000000000000000000");
  EXPECT_EQ(sum("1000", "-1"), "999");
  EXPECT_EQ(sum("1e3", "0.5"), "1000.5");
  EXPECT_EQ(sum("1e-3", "0"), "0.001");
  EXPECT_EQ(sum("0", "0"), "0");
  EXPECT_EQ(sum("-0", "-0.0"), "0.0");
  EXPECT_EQ(sum("1e20001", "0"), "none");
  EXPECT_EQ(sum("1e-20001", "1"), "none");
  EXPECT_EQ(sum("NaN", "1"), "none");
  EXPECT_EQ(sum("1", ""), "none");
  EXPECT_EQ(negated("-1.5"), "1.5");
  EXPECT_EQ(negated("1.5"), "-1.5");
}

// Against whole numbers of 128 bits.
RC_GTEST_PROP(Decimal, AddsAsWholeNumbersDo, (std::int64_t left, std::int64_t right, bool cents)) {
  const auto text = [&](__int128 number) {
    const bool negative = number < 0;
    std::string digits;
    for (__int128 rest = negative ? -number : number; rest != 0; rest /= 10)
      digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    if (digits.size() < 3) digits.insert(0, 3 - digits.size(), '0');
    if (cents) digits.insert(digits.size() - 2, 1, '.');
    else digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
    return (negative ? "-" : "") + digits;
  };
  RC_ASSERT(sum(text(left), text(right)) == text(static_cast<__int128>(left) + right));
}

}  // namespace
}  // namespace vestige
