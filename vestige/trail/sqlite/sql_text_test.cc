#include "vestige/trail/sqlite/sql_text.h"

#include <gtest/gtest.h>

namespace vestige {
namespace {

std::string tokens(std::string_view sql) {
  std::string out;
  for (const SqlToken& token : sql_tokens(sql)) {
    EXPECT_EQ(sql.substr(token.at, token.text.size()), token.text);
    out += std::string(token.text) + "|";
  }
  return out;
}

std::string index(std::string_view sql) {
  const IndexText text = index_text(sql);
  std::string out;
  for (const std::string& term : text.terms) out += term + "|";
  return out + (text.where.empty() ? "" : " where " + text.where);
}

TEST(SqlText, CutsTokens) {
  EXPECT_EQ(
      tokens("select a.\"b\"\"c\", 'it''s', [x]y], `q``r` -- note\n from größe/* ( */where "
             "x'00'<>1.5e3"),
      "select|a|.|\"b\"\"c\"|,|'it''s'|,|[x]|y|]|,|`q``r`|from|größe|where|x|'00'|<|>|1|.|5e3|");
  EXPECT_EQ(tokens(""), "");
  EXPECT_EQ(tokens("-- only"), "");
  EXPECT_EQ(tokens("/* open"), "");
  EXPECT_EQ(tokens("'open"), "'open|");
  EXPECT_EQ(tokens("\"open\"\""), "\"open\"\"|");
}

TEST(SqlText, FindsTheTermsOfAnIndex) {
  EXPECT_EQ(index("create unique index i on t (a)"), "a|");
  EXPECT_EQ(index("CREATE UNIQUE INDEX \"i (x)\" ON \"t,(\"( lower(a) COLLATE nocase DESC , "
                  "\"b,)\" asc, coalesce(c, ',', (1 + 2)))"),
            "lower(a)|\"b,)\"|coalesce(c, ',', (1 + 2))|");
  EXPECT_EQ(
      index("create unique index i on t (a /* , b */, -- )\n c) WHERE  a > ')' and (b) -- end"),
      "a|c| where a > ')' and (b) -- end");
  EXPECT_EQ(index("create index i on t (a collate \"my coll\")"), "a|");
  EXPECT_EQ(index("create index i on t (\"desc\", \"collate\" collate rtrim desc)"),
            "\"desc\"|\"collate\"|");
}

TEST(SqlText, TurnsSides) {
  EXPECT_EQ(with_sides("NEW.a > old . b and \"New\".c = [OLD].d and `new`.e", "O", "N"),
            "N.a > O . b and N.c = O.d and N.e");
  EXPECT_EQ(with_sides("'new.a' <> x.new.y and newer.a /* new.a */ and new", "O", "N"),
            "'new.a' <> x.new.y and newer.a /* new.a */ and new");
  EXPECT_EQ(with_sides("new.new = old.old", "O", "N"), "N.new = O.old");
  EXPECT_TRUE(has_sides("1 and new.a"));
  EXPECT_FALSE(has_sides("'new.a' -- old.b"));
  EXPECT_FALSE(has_sides(""));
}

TEST(SqlText, RenamesTheColumnsOfACondition) {
  const std::string condition =
      "new.a > 1 and OLD . \"a\" is not [new].b and a = 'new.a' and t.a = 1 -- new.a";
  EXPECT_EQ(
      with_columns(condition, {{"A", "\"b\""}, {"b", "\"a\""}}),
      "new.\"b\" > 1 and OLD . \"b\" is not [new].\"a\" and a = 'new.a' and t.a = 1 -- new.a");
  EXPECT_EQ(with_columns(condition, {}), condition);
}

}  // namespace
}  // namespace vestige
