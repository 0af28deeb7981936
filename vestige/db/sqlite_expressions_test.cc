#include "vestige/db/sqlite_expressions.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

namespace vestige {
namespace {

using Given = std::map<std::string, Value>;

std::string name_of(const Reference& one) {
  switch (one.of) {
    case Reference::Of::before: return "old." + one.name;
    case Reference::Of::after: return "new." + one.name;
    case Reference::Of::context: return "context." + one.name;
    case Reference::Of::changed: return "changed " + one.name;
    default: return one.name;
  }
}

Value twice(const void* /*with*/, std::span<const Value> given) {
  return std::get<std::int64_t>(given[0]) * 2;
}

class ExpressionTest : public testing::Test {
 protected:
  ExpressionTest() {
    auto opened =
        Expressions::open({"op", "table", "key", "actor"}, {{"twice", 1, twice, nullptr}});
    if (!opened.has_value()) throw std::runtime_error(opened.error().message);
    all = std::move(*opened);
  }

  Result<Value> run(const std::string& text, const Given& given, bool truth) {
    const Expression one = TRY(all->compile(text, truth));
    std::vector<const Value*> values;
    for (const Reference& reference : one.references()) {
      const auto found = given.find(name_of(reference));
      values.push_back(found == given.end() ? nullptr : &found->second);
    }
    return one.value(values);
  }
  bool holds(const std::string& text, const Given& given = {}) {
    const auto value = run(text, given, true);
    EXPECT_TRUE(value.has_value()) << text << ": " << value.error().message;
    return value.has_value() && *value == Value(std::int64_t{1});
  }
  std::string value(const std::string& text, const Given& given = {}) {
    const auto value = run(text, given, false);
    return value.has_value() ? to_json(*value) : "! " + value.error().message;
  }

  std::unique_ptr<Expressions> all;
};
using ExpressionsOverARow = ExpressionTest;

Value number(const std::string& text) { return Token{text}; }

TEST_F(ExpressionsOverARow, AreSqlite) {
  const Given row = {
      {"old.price", std::int64_t{100}}, {"new.price", std::int64_t{151}}, {"op", Text{"UPDATE"}}};
  EXPECT_TRUE(holds("old.price > 0 and abs(new.price - old.price) > 0.5 * old.price", row));
  EXPECT_FALSE(holds("abs(new.price - old.price) > 0.52 * old.price", row));
  EXPECT_TRUE(holds("op = 'UPDATE' and new.price between 100 and 200", row));
  EXPECT_TRUE(holds("case when new.price > 150 then 1 else 0 end", row));
  EXPECT_TRUE(holds("new.price in (150, 151)", row));
  EXPECT_EQ(value("twice(new.price) || '!'", row), "\"302!\"");
  EXPECT_FALSE(holds("old.nothing > 0")) << "null is no truth";
  EXPECT_TRUE(holds("old.nothing is null and actor is null"));
}

TEST_F(ExpressionsOverARow, NamesAreNamesOnlyWhereTheyStandAsSuch) {
  const Given row = {{"new.a b", Text{"x"}},
                     {"new.it's", Text{"y"}},
                     {"table", Text{"t"}},
                     {"context.tenant", Text{"acme"}},
                     {"changed a", std::int64_t{1}}};
  EXPECT_TRUE(holds(R"(new."a b" = 'x' and new.[a b] = 'x' and new.`a b` = 'x')", row));
  EXPECT_TRUE(holds(R"(new."it's" = 'y' and "table" = 't' and table = 't')", row));
  EXPECT_EQ(value("'old.price' /* new.price ' */ || \"actor\" -- old.x\n", {{"actor", Text{"!"}}}),
            "\"old.price!\"");
  EXPECT_TRUE(holds("CONTEXT.tenant = 'acme' and changed(a) and changed('a')", row));
  EXPECT_TRUE(holds("NEW . \"a b\" = 'x'", row));
}

TEST_F(ExpressionsOverARow, NumbersAreComparedByAllTheirDigits) {
  const Given row = {{"old.n", number("12345678901234567890.01")},
                     {"new.n", number("12345678901234567890.02")},
                     {"old.m", number("949.00")},
                     {"new.m", std::int64_t{949}},
                     {"old.i", std::int64_t{9007199254740993}},
                     {"new.r", 0.1}};
  EXPECT_TRUE(holds("old.n <> new.n", row));
  EXPECT_TRUE(holds("old.n < new.n and not old.n = new.n", row));
  EXPECT_FALSE(holds("old.n >= new.n", row));
  EXPECT_TRUE(holds("new.n = 12345678901234567890.02", row));
  EXPECT_TRUE(holds("old.m = new.m and old.m == 949 and 949.000 = old.m", row));
  EXPECT_TRUE(holds("old.i != 9007199254740992 and old.i > 9007199254740992.5", row));
  EXPECT_TRUE(holds("new.r = 0.1", row));
  EXPECT_TRUE(holds("(old.n = 1) is not null and (old.nothing = 1) is null", row));
  EXPECT_EQ(value("new.m + 0.5", row), "949.5") << "arithmetic is of doubles";
  EXPECT_TRUE(holds("old.m + 1 = 950 and new.m = old.m and old.m - new.m = 0", row));
  EXPECT_TRUE(holds("new.m = 949 = 1", row)) << "what is compared again is SQLite's alone";
  EXPECT_TRUE(holds("old.m between 1 and new.m = 1", row));
}

TEST_F(ExpressionsOverARow, ValuesOfOtherDatabasesAreWhatSqliteWouldHave) {
  EXPECT_TRUE(holds("new.b and new.b = true and not new.c",
                    {{"new.b", number("true")}, {"new.c", number("false")}}));
  EXPECT_TRUE(holds("json_extract(new.j, '$.a') = 5", {{"new.j", number(R"({"a":5})")}}));
  EXPECT_TRUE(holds("new.t > 5", {{"new.t", Text{"1"}}})) << "a text is more than any number";
  EXPECT_TRUE(holds("typeof(new.b) = 'blob'", {{"new.b", Blob{""}}}));
}

TEST_F(ExpressionsOverARow, NothingElseIsToBeHad) {
  for (const char* text :
       {"(select count(*) from sqlite_schema) > 0", "random() > 0", "randomblob(1000000000)",
        "load_extension('x')", "readfile('/etc/passwd')", "date('now') > ''", "current_timestamp",
        "exists (select 1 from pragma_table_list)", "(select value from json_each('[1]'))",
        "(with recursive r(n) as (select 1 union all select n + 1 from r) select n from r)",
        "sqlite_version()", "zeroblob(1000000000)", "printf('%1000000000d', 1)"})
    EXPECT_EQ(value(text).substr(0, 2), "! ") << text << " gave " << value(text);
  EXPECT_NE(value("random()").find("an expression may not do that: "), std::string::npos)
      << value("random()");
}

TEST_F(ExpressionsOverARow, MustBeOneExpression) {
  for (const char* text : {"",
                           "  -- nothing\n",
                           "1) , (2",
                           "(1",
                           "1; select 2",
                           "1, 2",
                           "'open",
                           "\"open",
                           "/* open",
                           "?1",
                           ":x",
                           "@x",
                           "$x",
                           "1 +",
                           "old.",
                           "other.price = 1",
                           "prise = 1",
                           "\"prise\" = 1",
                           "changed(1)",
                           "changed()",
                           "sum(",
                           "#"})
    EXPECT_FALSE(all->compile(text).has_value()) << text;
  EXPECT_EQ(value(std::string("1\0 2", 4)), "! a NUL byte in an expression");
  EXPECT_EQ(value("prise = 1"), "! 'prise' names nothing");
  EXPECT_EQ(value("1) or (1"), "! the parentheses do not match");
  EXPECT_EQ(value("'open"), "! a string does not end");
  EXPECT_EQ(value("1 /* x"), "! a comment does not end");
  EXPECT_EQ(value("1 ; 2"), "! ';' means nothing in an expression");
  EXPECT_EQ(value(""), "! there is nothing");
  EXPECT_EQ(value("other.price"),
            "! 'other.' names nothing: old.COLUMN, new.COLUMN, context.FIELD");
  EXPECT_EQ(value("changed(1)"), "! changed() takes the name of a column");
}

// By steps, which are the same on every machine, and not by the clock.
TEST_F(ExpressionsOverARow, EndAfterSomeSteps) {
  std::string ten = "(select 1 as one";
  for (int i = 0; i < 9; ++i) ten += " union all select 1";
  std::string all_of_them = "(select count(*) from " + ten + ")";
  for (int i = 0; i < 7; ++i) all_of_them += ", " + ten + ")";
  const std::string text = all_of_them + ") > 0";
  // A name of its own is none that is known; SQLite is asked without one.
  std::string plain = text;
  for (std::size_t at; (at = plain.find(" as one")) != std::string::npos;) plain.erase(at, 7);
  EXPECT_EQ(value(plain), "! evaluate: more than 100000 steps");
  EXPECT_TRUE(holds("1 = 1")) << "and the next one has its own";
}

// What one step of the machine does is bounded, too: these would compare 10^12 bytes.
TEST_F(ExpressionsOverARow, EndAfterSomeComparisonsOfBytes) {
  const Given row = {{"new.a", Text{std::string(2'000'000, 'a')}},
                     {"new.b", Text{std::string(1'000'000, 'a') + "b"}},
                     {"new.p", Text{std::string(190, 'a') + "b"}}};
  for (const auto& [name, text] : std::map<std::string, std::string>{
           {"instr", "instr(new.a, new.b) > 0"},
           {"replace", "replace(new.a, new.b, '') = 'x'"},
           {"trim", "trim(new.a, new.b) = 'x'"},
           {"ltrim", "ltrim(new.a, new.b) = 'x'"},
           {"rtrim", "rtrim(new.a, new.b) = 'x'"},
           {"glob", "new.a || new.a || new.a glob '*' || new.p || '*'"},
           {"like", "new.a || new.a || new.a like '%' || new.p || '%'"}})
    EXPECT_EQ(value(text, row),
              "! evaluate: more than 1000000000 comparisons of bytes in " + name + "()");
  EXPECT_EQ(value("instr(new.a, 'b') + (new.a like '%b%') + (new.a glob '*a*')", row), "1");
}

TEST_F(ExpressionsOverARow, TheFunctionsThatAreCountedAreSqlites) {
  const Given row = {{"new.a", Text{"xäbcx"}}, {"new.x", Blob{std::string("a\0b", 3)}}};
  EXPECT_TRUE(holds("instr(new.a, 'b') = 3 and instr(new.x, x'62') = 3", row));
  EXPECT_TRUE(holds("instr(new.nothing, 'b') is null and instr(12345, 34) = 3", row));
  EXPECT_TRUE(
      holds("replace(new.a, 'x', 'yy') = 'yyäbcyy' and replace(new.a, '', 'y') = new.a", row));
  EXPECT_TRUE(holds("trim(new.a, 'x') = 'äbc' and ltrim(new.a, 'x') = 'äbcx'", row));
  EXPECT_TRUE(holds("rtrim(new.a, 'xc') = 'xäb' and trim('  y ') = 'y'", row));
  EXPECT_TRUE(
      holds("new.a like 'XÄ%' is false and new.a like 'X_B%' and 'a%' like 'a!%' escape '!'", row));
  EXPECT_TRUE(holds("new.a glob 'x?b*' and new.a not glob 'X*' and new.a not like 'b'", row));
  EXPECT_NE(value("'a' like 'a' escape 'ab'").find("ESCAPE expression must be a single character"),
            std::string::npos);
}

TEST_F(ExpressionsOverARow, WhatGoesWrongIsSaid) {
  EXPECT_EQ(value("abs(-9223372036854775808)"), "! evaluate: integer overflow");
  EXPECT_NE(value("json_extract(new.j, '$.a')", {{"new.j", Text{"{"}}}).find("malformed JSON"),
            std::string::npos);
  EXPECT_NE(value("twice(1, 2)").find("wrong number of arguments"), std::string::npos);
}

}  // namespace
}  // namespace vestige
