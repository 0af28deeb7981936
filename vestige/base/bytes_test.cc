#include "vestige/base/bytes.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace vestige {
namespace {

using namespace std::string_literals;

TEST(Bytes, Base64IsThatOfTheRfc) {
  const struct {
    std::string bytes;
    std::string text;
  } cases[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"foobar", "Zm9vYmFy"},
               {"\xff\xfe\xfd"s, "//79"},
               {"\0\0\0"s, "AAAA"}};
  for (const auto& one : cases) {
    EXPECT_EQ(to_base64(one.bytes), one.text);
    EXPECT_EQ(from_base64(one.text).value(), one.bytes);
  }
}

TEST(Bytes, Base64HasOneSpelling) {
  const struct {
    std::string text;
    std::string_view message;
  } cases[] = {
      {"Zg", "read base64: not a multiple of four characters"},
      {"Zg=", "read base64: not a multiple of four characters"},
      {"Zg==\n", "read base64: not a multiple of four characters"},
      {"Zh==", "read base64: bits are set that carry nothing"},
      {"Zm9=", "read base64: bits are set that carry nothing"},
      {"Z===", "read base64: a character that is not base64"},
      {"====", "read base64: a character that is not base64"},
      {"Zg==Zg==", "read base64: a character that is not base64"},
      {"Zm=v", "read base64: a character that is not base64"},
      {"Zm9-", "read base64: a character that is not base64"},
      {"Zm9\n", "read base64: a character that is not base64"},
      {"Zm\xc3\xb6", "read base64: a character that is not base64"},
  };
  for (const auto& one : cases) {
    const auto bytes = from_base64(one.text);
    ASSERT_FALSE(bytes.has_value()) << one.text;
    EXPECT_EQ(bytes.error().message, one.message) << one.text;
  }
}

RC_GTEST_PROP(Bytes, ComeBack, (const std::string& bytes)) {
  RC_ASSERT(from_base64(to_base64(bytes)).value() == bytes);
  RC_ASSERT(from_lower_hex(to_hex(bytes)).value() == bytes);
}

TEST(Bytes, HexIsLowerCase) {
  EXPECT_EQ(to_hex("\x00\xab"s), "00ab");
  EXPECT_EQ(from_lower_hex("00ab").value(), "\x00\xab"s);
  EXPECT_EQ(from_lower_hex("00AB").error().message, "read hex: upper case");
  EXPECT_FALSE(from_lower_hex("0").has_value());
  EXPECT_FALSE(from_lower_hex("0g").has_value());
}

TEST(Bytes, DecimalsHaveOneSpelling) {
  EXPECT_EQ(parse_decimal("0").value(), 0U);
  EXPECT_EQ(parse_decimal("18446744073709551615").value(), 18446744073709551615U);
  for (const std::string text :
       {"", "00", "01", "+1", "-1", " 1", "1 ", "1.0", "0x1", "18446744073709551616"})
    EXPECT_EQ(parse_decimal(text).error().message,
              "read a number: \"" + text + "\" is not a decimal of 64 bits without leading zeros");
}

}  // namespace
}  // namespace vestige
