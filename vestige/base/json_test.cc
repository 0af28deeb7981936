#include "vestige/base/json.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace vestige::json {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

std::string why_not(std::string_view text) {
  Reader reader(text);
  const auto value = reader.value();
  if (!value.has_value()) return value.error().message;
  const auto end = reader.end();
  return end.has_value() ? "" : end.error().message;
}

TEST(Json, NamesWhatIsWrongAndWhere) {
  const struct {
    std::string text;
    std::string_view message;
  } cases[] = {
      {"", "read json: value missing at byte 0"},
      {"  ", "read json: value missing at byte 2"},
      {"x", "read json: value expected at byte 0"},
      {"nul", "read json: value expected at byte 0"},
      {"\"a", "read json: string without end at byte 2"},
      {"\"a\nb\"", "read json: control character in string at byte 2"},
      {"\"\\q\"", "read json: unknown escape at byte 2"},
      {"[\"\\q\"]", "read json: unknown escape at byte 3"},
      {"\"\\u12g4\"", "read json: bad \\u escape at byte 5"},
      {"\"\\u12\"", "read json: short \\u escape at byte 3"},
      {"\"\\u12", "read json: short \\u escape at byte 3"},
      {"-", "read json: number without digits at byte 1"},
      {"1.", "read json: number without digits at byte 2"},
      {"1e+", "read json: number without digits at byte 3"},
      {"01", "read json: text after the value at byte 1"},
      {"1 2", "read json: text after the value at byte 2"},
      {"[1", "read json: bracket without end at byte 2"},
      {"[1 2]", "read json: comma expected at byte 3"},
      {"[1,]", "read json: value expected at byte 3"},
      {"{1:2}", "read json: key expected at byte 1"},
      {"{\"a\" 1}", "read json: colon expected at byte 5"},
      {"{\"a\":1,}", "read json: key expected at byte 7"},
      {std::string(200'000, '['), "read json: value missing at byte 200000"},
  };
  for (const auto& [text, message] : cases) EXPECT_EQ(why_not(text), message) << text.substr(0, 40);
}

TEST(Json, TakesWhatIsNestedHoweverDeep) {
  for (const std::size_t depth : {101UL, 200'000UL}) {
    std::string objects;
    for (std::size_t i = 0; i < depth; ++i) objects += "{\"a\":[";
    objects += "1";
    for (std::size_t i = 0; i < depth; ++i) objects += "]}";
    Reader reader(objects);
    const auto token = reader.value();
    ASSERT_TRUE(token.has_value()) << token.error().message;
    EXPECT_EQ(token->text, objects);
    EXPECT_TRUE(reader.end().has_value());
  }
}

TEST(Json, TakesValuesAsTheyStand) {
  const struct {
    std::string_view text;
    Kind kind;
  } cases[] = {
      {"null", Kind::null},
      {"true", Kind::boolean},
      {"false", Kind::boolean},
      {"0", Kind::number},
      {"-0.50e+07", Kind::number},
      {"123456789012345678901234567890", Kind::number},
      {R"("a\"\\b")", Kind::string},
      {"[1, [2]]", Kind::array},
      {R"({"a": {"b" : []}})", Kind::object},
  };
  for (const auto& [text, kind] : cases) {
    const std::string spaced = " \t\r\n" + std::string(text) + " ";
    Reader reader(spaced);
    const auto value = reader.value();
    ASSERT_TRUE(value.has_value()) << text;
    EXPECT_EQ(value->kind, kind) << text;
    EXPECT_EQ(value->text, text);
    EXPECT_TRUE(reader.end().has_value()) << text;
  }
}

TEST(Json, WalksObjectsAndArraysInTurn) {
  Reader reader(R"( { "a" : [ 1 , 2 ] , "b\n" : { } } )");
  ASSERT_TRUE(reader.open('{').has_value());
  EXPECT_EQ(*reader.more('{'), 'y');
  EXPECT_EQ(*reader.key(), "a");
  ASSERT_TRUE(reader.open('[').has_value());
  EXPECT_EQ(*reader.more('['), 'y');
  EXPECT_EQ(reader.value()->text, "1");
  EXPECT_EQ(*reader.more('['), 'y');
  EXPECT_EQ(reader.value()->text, "2");
  EXPECT_EQ(*reader.more('['), 'n');
  EXPECT_EQ(*reader.more('{'), 'y');
  EXPECT_EQ(*reader.key(), "b\n");
  ASSERT_TRUE(reader.open('{').has_value());
  EXPECT_EQ(*reader.more('{'), 'n');
  EXPECT_EQ(*reader.more('{'), 'n');
  EXPECT_TRUE(reader.end().has_value());
}

TEST(Json, RefusesToStepIntoWhatIsNotThere) {
  EXPECT_EQ(Reader("[]").open('{').error().message, "read json: object expected at byte 0");
  EXPECT_EQ(Reader("{}").open('[').error().message, "read json: array expected at byte 0");
  EXPECT_EQ(Reader("").open('[').error().message, "read json: array expected at byte 0");
  EXPECT_EQ(Reader("x").key().error().message, "read json: key expected at byte 0");
  EXPECT_EQ(Reader("\"a\"x").key().error().message, "read json: colon expected at byte 3");
  EXPECT_EQ(Reader("").more('[').error().message, "read json: bracket without end at byte 0");
}

TEST(Json, UnquotesEveryEscape) {
  EXPECT_EQ(*unquote(R"("\b\f\n\r\t\"\\\/")"), "\b\f\n\r\t\"\\/");
  EXPECT_EQ(*unquote(R"("\u0000\u001F\u00e9\u20AC\uD83D\uDE00")"), "\0\x1f\u00e9\u20ac\U0001F600"s);
  EXPECT_EQ(*unquote(R"("")"), "");
}

TEST(Json, RefusesEscapesThatMeanNothing) {
  const struct {
    std::string_view token;
    std::string_view message;
  } cases[] = {
      {"", "read json: string expected at byte 0"},
      {"\"", "read json: string expected at byte 0"},
      {"a\"", "read json: string expected at byte 0"},
      {R"("\x")", "read json: unknown escape at byte 1"},
      {R"("\")", "read json: string without end at byte 1"},
      {R"("\u12")", "read json: short \\u escape at byte 2"},
      {R"("\u12g4")", "read json: bad \\u escape at byte 4"},
      {R"("\ud800")", "read json: lone surrogate at byte 5"},
      {R"("\ud800\n")", "read json: lone surrogate at byte 5"},
      {R"("\ud800\u0041")", "read json: lone surrogate at byte 5"},
      {R"("\udc00")", "read json: lone surrogate at byte 5"},
  };
  for (const auto& [token, message] : cases) {
    const auto text = unquote(token);
    ASSERT_FALSE(text.has_value()) << token;
    EXPECT_EQ(text.error().message, message) << token;
  }
}

TEST(Json, QuotesControlCharactersAndNothingElse) {
  EXPECT_EQ(quote("a\"b\\c/d\b\f\n\r\t\0\x1f\x7f"s), R"("a\"b\\c/d\b\f\n\r\t\u0000\u001f)"
                                                     "\x7f\"");
  EXPECT_EQ(quote("größe 日本 😀"), "\"größe 日本 😀\"");
}

TEST(Json, KnowsUtf8) {
  for (const std::string_view bytes :
       {""sv, "abc"sv, "\0"sv, "\xc2\x80"sv, "\xdf\xbf"sv, "\xe0\xa0\x80"sv, "\xed\x9f\xbf"sv,
        "\xee\x80\x80"sv, "\xef\xbf\xbf"sv, "\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv})
    EXPECT_TRUE(is_utf8(bytes)) << quote(bytes);
  for (const std::string_view bytes :
       {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xc2"sv, "\xc2\x41"sv, "\xe0\x9f\xbf"sv,
        "\xe0\xa0"sv, "\xed\xa0\x80"sv, "\xf0\x8f\xbf\xbf"sv, "\xf0\x90\x80"sv,
        "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv, "abc\xff"sv})
    EXPECT_FALSE(is_utf8(bytes));
}

TEST(Json, ReadsHexOfEitherCase) {
  std::string hex;
  append_hex(hex, "\x00\x7f\xff"sv);
  EXPECT_EQ(hex, "007fff");
  EXPECT_EQ(*from_hex("007FfF"), "\x00\x7f\xff"sv);
  EXPECT_EQ(*from_hex(""), "");
  EXPECT_EQ(from_hex("0").error().message, "read hex: odd number of digits");
  EXPECT_EQ(from_hex("0g").error().message, "read hex: not a hex digit");
  EXPECT_EQ(from_hex("-1").error().message, "read hex: not a hex digit");
}

RC_GTEST_PROP(Json, UnquotesWhatItQuotes, (const std::string& bytes)) {
  RC_ASSERT(*unquote(quote(bytes)) == bytes);
}

RC_GTEST_PROP(Json, ReadsBackHex, (const std::string& bytes)) {
  std::string hex;
  append_hex(hex, bytes);
  RC_ASSERT(*from_hex(hex) == bytes);
}

// The twin of is_utf8: decode, and encode again by the definition.
bool is_utf8_by_definition(std::string_view bytes) {
  std::string again;
  for (std::size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    const std::size_t length = lead < 0x80       ? 1
                               : lead >> 5 == 6  ? 2
                               : lead >> 4 == 14 ? 3
                               : lead >> 3 == 30 ? 4
                                                 : 0;
    if (length == 0 || i + length > bytes.size()) return false;
    unsigned point = length == 1 ? lead : lead & (0x7Fu >> length);
    for (std::size_t k = 1; k < length; ++k) {
      const auto byte = static_cast<unsigned char>(bytes[i + k]);
      if (byte >> 6 != 2) return false;
      point = point << 6 | (byte & 0x3F);
    }
    const std::size_t shortest = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (shortest != length || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
      return false;
    i += length;
  }
  return true;
}

TEST(Json, AgreesWithTheDefinitionOfUtf8OnEveryLeadAndSecondByte) {
  for (int lead = 0; lead < 256; ++lead) {
    for (int second = 0; second < 256; ++second) {
      for (const std::string_view rest : {""sv, "\x80"sv, "\xbf\xbf"sv, "\x80\x41"sv}) {
        std::string bytes = {static_cast<char>(lead), static_cast<char>(second)};
        bytes += rest;
        ASSERT_EQ(is_utf8(bytes), is_utf8_by_definition(bytes)) << lead << ' ' << second;
      }
    }
  }
}

}  // namespace
}  // namespace vestige::json
