#include "vestige/record/value.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "test/generators.h"
#include "vestige/base/json.h"

namespace vestige {
namespace {

using namespace std::string_literals;

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

std::string refusal(std::string_view text) {
  const auto value = value_from_json(text);
  return value.has_value() ? "read as " + to_json(*value) : value.error().message;
}

std::string row_refusal(std::string_view text) {
  const auto row = row_from_json(text);
  return row.has_value() ? "read as " + to_json(*row) : row.error().message;
}

TEST(Value, HasOneCanonicalText) {
  const struct {
    Value value;
    std::string_view text;
  } cases[] = {
      {Null{}, "null"},
      {std::int64_t{0}, "0"},
      {std::int64_t{-7}, "-7"},
      {kLowest, "-9223372036854775808"},
      {kHighest, "9223372036854775807"},
      {1.5, "1.5"},
      {2.0, "2.0"},
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {0.1, "0.1"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1e300, "1e+300"},
      {5e-324, "5e-324"},
      {9007199254740993.0, "9007199254740992.0"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {HUGE_VAL, R"({"$real":"Inf"})"},
      {-HUGE_VAL, R"({"$real":"-Inf"})"},
      {std::nan(""), R"({"$real":"NaN"})"},
      {Text{""}, R"("")"},
      {Text{"größe"}, R"("größe")"},
      {Text{"a\0b"s}, R"("a\u0000b")"},
      {Text{"h\xff"}, R"({"$text":"68ff"})"},
      {Text{R"({"$blob":"00"})"}, R"("{\"$blob\":\"00\"}")"},
      {Blob{""}, R"({"$blob":""})"},
      {Blob{"\0\xff"s}, R"({"$blob":"00ff"})"},
      {Token{"true"}, "true"},
      {Token{R"({"a": [1.50]})"}, R"({"a": [1.50]})"},
  };
  for (const auto& [value, text] : cases) {
    EXPECT_EQ(to_json(value), text);
    const auto again = value_from_json(text);
    ASSERT_TRUE(again.has_value()) << text;
    EXPECT_TRUE(identical(*again, value)) << text;
  }
}

TEST(Value, KeepsNumbersThatNoTypeHolds) {
  for (const std::string_view text : {"9223372036854775808", "-9223372036854775809", "1e999",
                                      "-1e999", "1e-999", "123456789012345678901234567890"}) {
    const auto value = value_from_json(text);
    ASSERT_TRUE(value.has_value()) << text;
    ASSERT_TRUE(std::holds_alternative<Token>(*value)) << text;
    EXPECT_EQ(to_json(*value), text);
  }
}

TEST(Value, KeepsObjectsAndArraysAsTokens) {
  for (const std::string_view text :
       {"[]", "{}", "[1, 2]", R"({"a":1})", R"({"a":{"$blob":7}})", R"([{"$blob":"00"}])"}) {
    const auto value = value_from_json(text);
    ASSERT_TRUE(value.has_value()) << text;
    EXPECT_EQ(std::get<Token>(*value).text, text);
  }
}

TEST(Value, KeepsWhatStandsInThePlaceOfOneThatIsNotThere) {
  const struct {
    std::string_view text;
    std::string_view shown;
  } cases[] = {{R"({"$unrecorded":true})", "(too large to be recorded)"},
               {R"({"$redacted":true})", "(redacted)"},
               {R"({"$encrypted":"AAECAw=="})", "(encrypted)"}};
  for (const auto& [text, shown] : cases) {
    const auto value = value_from_json(text);
    ASSERT_TRUE(value.has_value()) << text;
    EXPECT_TRUE(is_withheld(*value)) << text;
    EXPECT_EQ(to_json(*value), text);
    EXPECT_EQ(to_display(*value), shown);
    EXPECT_FALSE(is_withheld(Text{std::string(text)})) << "a text that only says so";
  }
  // A value of the application's that looks like one: PostgreSQL prints jsonb with a space.
  EXPECT_FALSE(is_withheld(Token{R"({"$redacted": true})"}));
  EXPECT_FALSE(is_withheld(Token{R"({"$encrypted": "AAECAw=="})"}));
}

TEST(Value, RefusesWhatIsNoValue) {
  EXPECT_EQ(refusal(R"({"$encrypted":"AAECAw"})"), "read a value: unknown form $encrypted");
  EXPECT_EQ(refusal(R"({"$encrypted": "AAECAw=="})"), "read a value: unknown form $encrypted");
  EXPECT_EQ(refusal(R"({"$redacted":"yes"})"), "read a value: unknown form $redacted");
  EXPECT_EQ(refusal(""), "read json: value missing at byte 0");
  EXPECT_EQ(refusal("1 2"), "read json: text after the value at byte 2");
  EXPECT_EQ(refusal("NaN"), "read json: value expected at byte 0");
  EXPECT_EQ(refusal(R"({"$blob":"0"})"), "read hex: odd number of digits");
  EXPECT_EQ(refusal(R"({"$blob":"0g"})"), "read hex: not a hex digit");
  EXPECT_EQ(refusal(R"({"$blob":7})"), "read a value: $blob takes one string");
  EXPECT_EQ(refusal(R"({"$blob":"00","x":1})"), "read a value: $blob takes one string");
  EXPECT_EQ(refusal(R"({"$real":"inf"})"), "read a value: unknown form $real");
  EXPECT_EQ(refusal(R"({"$date":"2026-01-01"})"), "read a value: unknown form $date");
  EXPECT_EQ(refusal(std::string(5000, '[')), "read json: value missing at byte 5000");
  std::string hostile;
  for (int i = 0; i < 5000; ++i) hostile += "{\"a\":";
  EXPECT_EQ(refusal(hostile).substr(0, 26), "read json: value missing a");
}

TEST(Value, OfEncryptedOnesTheClassIsSaid) {
  const Value value = encrypted("AAECAw==", "phi");
  EXPECT_EQ(to_json(value), R"({"$encrypted":"AAECAw=="})");
  EXPECT_EQ(to_display(value), "encrypted (phi)");
  EXPECT_EQ(encrypted_token(value), "AAECAw==");
  EXPECT_TRUE(is_withheld(value));
  EXPECT_TRUE(identical(value, *value_from_json(to_json(value))));
  EXPECT_FALSE(identical(value, encrypted("AAECBA==", "phi")));
  EXPECT_EQ(encrypted_token(encrypted("", "phi")), "");
  EXPECT_EQ(to_json(*value_from_json(to_json(encrypted("", "phi")))), R"({"$encrypted":""})");
  EXPECT_EQ(encrypted_token(redacted()), std::nullopt);
  EXPECT_EQ(encrypted_token(Text{R"({"$encrypted":"AAECAw=="})"}), std::nullopt);
}

TEST(Value, IsIdenticalOnlyToTheSameBitsOfTheSameClass) {
  const std::vector<Value> apart = {
      Null{},   std::int64_t{0}, std::int64_t{1}, 0.0,        -0.0,       1.0,
      HUGE_VAL, -HUGE_VAL,       std::nan(""),    Text{""},   Text{"0"},  Text{"a"},
      Blob{""}, Blob{"0"},       Blob{"a"},       Token{"0"}, Token{"a"}, Text{"null"}};
  for (std::size_t i = 0; i < apart.size(); ++i)
    for (std::size_t k = 0; k < apart.size(); ++k)
      EXPECT_EQ(identical(apart[i], apart[k]), i == k)
          << to_json(apart[i]) << ' ' << to_json(apart[k]);
}

TEST(Value, IsTheSameKeyWhereADatabaseSaysEqual) {
  EXPECT_TRUE(same_key(std::int64_t{1}, 1.0));
  EXPECT_TRUE(same_key(1.0, std::int64_t{1}));
  EXPECT_TRUE(same_key(0.0, -0.0));
  EXPECT_TRUE(same_key(std::int64_t{0}, -0.0));
  EXPECT_TRUE(same_key(kLowest, -9223372036854775808.0));
  EXPECT_TRUE(same_key(Text{"a"}, Text{"a"}));
  EXPECT_FALSE(same_key(std::int64_t{1}, 1.5));
  EXPECT_FALSE(same_key(std::int64_t{1}, Text{"1"}));
  EXPECT_FALSE(same_key(Text{"a"}, Blob{"a"}));
  EXPECT_FALSE(same_key(kHighest, 9223372036854775808.0));  // 2^63 is one more
  EXPECT_FALSE(same_key(std::int64_t{9007199254740993}, 9007199254740992.0));
  EXPECT_FALSE(same_key(std::int64_t{1}, HUGE_VAL));
  EXPECT_FALSE(same_key(std::int64_t{1}, std::nan("")));
}

TEST(Value, IsShownToPeopleWithoutQuotes) {
  EXPECT_EQ(to_display(Text{"it's"}), "it's");
  EXPECT_EQ(to_display(Blob{"\0\xff"s}), "x'00ff'");
  EXPECT_EQ(to_display(Null{}), "null");
  EXPECT_EQ(to_display(2.0), "2.0");
  EXPECT_EQ(to_display(std::int64_t{2}), "2");
  EXPECT_EQ(to_display(Token{"[1]"}), "[1]");
}

TEST(Row, KeepsTheOrderOfItsColumns) {
  const Row row = {{"z", std::int64_t{1}}, {"a \"b\"", Null{}}, {"", Text{"x"}}};
  EXPECT_EQ(to_json(row), R"({"z":1,"a \"b\"":null,"":"x"})");
  const auto again = row_from_json(to_json(row));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(to_json(*again), to_json(row));
  EXPECT_EQ(to_json(*row_from_json(" { \"b\" : 1 , \"a\" : 2.0 } ")), R"({"b":1,"a":2.0})");
  EXPECT_EQ(to_json(*row_from_json("{}")), "{}");
}

TEST(Row, FindsAColumnByItsExactName) {
  const Row row = {{"id", std::int64_t{1}}, {"Id", std::int64_t{2}}};
  EXPECT_EQ(to_json(*find(row, "Id")), "2");
  EXPECT_EQ(find(row, "ID"), nullptr);
  EXPECT_EQ(find(Row{}, "id"), nullptr);
}

TEST(Row, RefusesAValueBehindALongName) {  // once leaked the name
  EXPECT_EQ(row_refusal(R"({"a name too long to stand in the string itself":{"$blob":"0"}})"),
            "read hex: odd number of digits");
}

TEST(Row, RefusesWhatIsNoRow) {
  EXPECT_EQ(row_refusal(R"({"a":1,"\u0061":2})"), R"(read a row: column "a" stands twice)");
  EXPECT_EQ(row_refusal("[1]"), "read json: object expected at byte 0");
  EXPECT_EQ(row_refusal("null"), "read json: object expected at byte 0");
  EXPECT_EQ(row_refusal("{} {}"), "read json: text after the value at byte 3");
  EXPECT_EQ(row_refusal("{,}"), "read json: key expected at byte 1");
  EXPECT_EQ(row_refusal(R"({"a":1,})"), "read json: key expected at byte 7");
  EXPECT_EQ(row_refusal(R"({"a":1 "b":2})"), "read json: comma expected at byte 7");
  EXPECT_EQ(row_refusal(R"({"a":1)"), "read json: bracket without end at byte 6");
}

RC_GTEST_PROP(Value, ReadsBackIdentical, ()) {
  const Value value = *any_value();
  const std::string text = to_json(value);
  const auto again = value_from_json(text);
  RC_ASSERT(again.has_value());
  RC_ASSERT(identical(*again, value));
  RC_ASSERT(to_json(*again) == text);
  RC_ASSERT(json::is_utf8(text));
}

TEST(Value, ReadsBackTensOfThousandsOfRealsByTheirBits) {
  std::uint64_t bits = 0x9E3779B97F4A7C15;  // a full-period generator: every run draws the same
  for (int i = 0; i < 50'000; ++i) {
    bits = bits * 6364136223846793005U + 1442695040888963407U;
    const double real = std::bit_cast<double>(bits);
    const double subnormal = std::bit_cast<double>(bits >> 12);
    for (const double one : {real, subnormal}) {
      if (std::isnan(one)) continue;
      const auto again = value_from_json(to_json(one));
      ASSERT_TRUE(again.has_value() && identical(*again, one)) << to_json(one);
    }
  }
}

RC_GTEST_PROP(Row, ReadsBackIdentical, ()) {
  const auto values = *rc::gen::resize(8, rc::gen::container<std::vector<Value>>(any_value()));
  const std::string stem = *any_utf8();
  Row row;
  for (const Value& value : values) row.push_back({stem + std::to_string(row.size()), value});
  const std::string text = to_json(row);
  const auto again = row_from_json(text);
  RC_ASSERT(again.has_value());
  RC_ASSERT(again->size() == row.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    RC_ASSERT((*again)[i].name == row[i].name);
    RC_ASSERT(identical((*again)[i].value, row[i].value));
  }
  for (std::size_t size = 0; size < text.size(); ++size)
    RC_ASSERT(!row_from_json(std::string_view(text).substr(0, size)).has_value());
}

TEST(Value, NullIsTheSameAsJson) {
  EXPECT_TRUE(is_null(Null{}));
  EXPECT_TRUE(is_null(Token{"null"}));
  EXPECT_FALSE(is_null(Text{"null"}));
  EXPECT_FALSE(is_null(std::int64_t{0}));
  const std::optional<Row> row = Row{{"a", Null{}}, {"b", Token{"null"}}, {"c", Text{"null"}}};
  EXPECT_EQ(text_in(row, "a") + text_in(row, "b") + text_in(row, "d"), "");
  EXPECT_EQ(text_in(row, "c"), "null");
  EXPECT_EQ(text_in(std::nullopt, "a"), "");
  EXPECT_EQ(to_json(text_or_null("")), "null");
  EXPECT_EQ(to_json(text_or_null("a")), "\"a\"");
}

TEST(Value, TextsAreReadBackFromAnArray) {
  const std::vector<std::string> texts = {"", "a\"b", "\n"};
  EXPECT_EQ(list_from_json(list_json(texts)).value(), texts);
  EXPECT_EQ(list_from_json("[]").value(), std::vector<std::string>());
  for (const char* text : {"", "{}", "[1]", "[\"a\"", "\"a\""})
    EXPECT_FALSE(list_from_json(text).has_value()) << text;
}

TEST(Value, ANumeralHasEveryDigit) {
  EXPECT_EQ(numeral(std::int64_t{-7}), "-7");
  EXPECT_EQ(numeral(2.5), "2.5");
  EXPECT_EQ(numeral(Token{"0.30"}), "0.30");
  for (const Value& none : {Value(Null{}), Value(Text{"1"}), Value(Token{"true"}),
                            Value(Token{"\"1\""}), Value(std::numeric_limits<double>::infinity())})
    EXPECT_EQ(numeral(none), std::nullopt);
}

}  // namespace
}  // namespace vestige
