// Placeholders and the ends of statements, found by PostgreSQL's lexical rules.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vestige/db/postgres_lexer.h"

namespace vestige::postgres {
namespace {

std::string dollars(std::string_view sql) {
  std::size_t ignored = 0;
  return with_dollars(sql, ignored);
}

TEST(PostgresLexerTest, TurnsPlaceholdersIntoDollars) {
  EXPECT_EQ(dollars("select ?1, ?12 + ?3"), "select $1, $12 + $3");
  EXPECT_EQ(dollars("select $1, ?2"), "select $1, $2");
  EXPECT_EQ(dollars("a=?1"), "a=$1");
  EXPECT_EQ(dollars("(?1)::int[?2]"), "($1)::int[$2]");
  EXPECT_EQ(dollars("?1?2"), "$1$2");
  EXPECT_EQ(dollars("?"), "?");
  EXPECT_EQ(dollars(""), "");
}

TEST(PostgresLexerTest, CountsTheValuesThatAStatementTakes) {
  std::size_t values = 7;
  with_dollars("select 1 -- ?1", values);
  EXPECT_EQ(values, 0U);
  with_dollars("?2 $12 ?3 '?40'", values);
  EXPECT_EQ(values, 12U);
}

TEST(PostgresLexerTest, LeavesOperatorsOfJsonAlone) {
  for (const std::string sql : {"j ? 'a'", "j ?| array['a']", "j ?& b", "j @? '$.a'", "j ?'1'"})
    EXPECT_EQ(dollars(sql), sql);
}

TEST(PostgresLexerTest, LeavesQuotesAndCommentsAlone) {
  for (const std::string sql : {R"('?1')",
                                R"('it''s ?1')",
                                R"('\')",
                                R"("?1")",
                                R"("a""?1")",
                                R"(E'\'?1')",
                                R"(e'\\''?1')",
                                "E'a'\n '\\'?1'",
                                "E'a' -- x\n '\\'?1'",
                                R"(U&'\0041?1')",
                                R"(U&"?1")",
                                R"(N'?1')",
                                R"(B'?1')",
                                R"($$?1$$)",
                                R"($tag$ ?1 $$ ?2 $ta$ $tag$)",
                                R"($größe$?1$größe$)",
                                "-- ?1",
                                "-- ?1\r-- ?2",
                                "/* ?1 */",
                                "/* /* ?1 */ ?2 */",
                                "'?1",
                                "$$?1",
                                "/* ?1",
                                "\"?1",
                                "E'?1",
                                "E'?1\\"})
    EXPECT_EQ(dollars(sql), sql);
}

TEST(PostgresLexerTest, SeesPlaceholdersBehindQuotesAndComments) {
  EXPECT_EQ(dollars("'\\' ?1"), "'\\' $1");  // no escape without an E
  EXPECT_EQ(dollars("E'\\\\' ?1"), "E'\\\\' $1");
  EXPECT_EQ(dollars("E'\\'' ?1"), "E'\\'' $1");
  EXPECT_EQ(dollars("E'a' '\\' ?1"), "E'a' '\\' $1");  // the second is a string of its own
  EXPECT_EQ(dollars("U&'\\' ?1"), "U&'\\' $1");
  EXPECT_EQ(dollars("name'\\' ?1"), "name'\\' $1");  // the e belongs to the name
  EXPECT_EQ(dollars("$a$ $$ $a$ ?1"), "$a$ $$ $a$ $1");
  EXPECT_EQ(dollars("a$b$ ?1 c$b$"), "a$b$ $1 c$b$");  // dollars of names quote nothing
  EXPECT_EQ(dollars("$1$ ?1 $1$"), "$1$ $1 $1$");
  EXPECT_EQ(dollars("-- x\n?1"), "-- x\n$1");
  EXPECT_EQ(dollars("/* /* */ */?1"), "/* /* */ */$1");
  EXPECT_EQ(dollars("/*/?1*/?2"), "/*/?1*/$2");
  EXPECT_EQ(dollars("a-?1"), "a-$1");
}

std::vector<std::string> statements(std::string_view sql) {
  std::vector<std::string> out;
  while (true) {
    const std::string_view one = split(sql, sql);
    if (one.empty()) return out;
    out.emplace_back(one);
  }
}

using List = std::vector<std::string>;

TEST(PostgresLexerTest, SplitsAtSemicolons) {
  EXPECT_EQ(statements(""), List{});
  EXPECT_EQ(statements(" ; /* ; */ ; -- ;"), List{});
  EXPECT_EQ(statements("select 1"), List{"select 1"});
  EXPECT_EQ(statements("select 1; select 2;\n"), (List{"select 1;", " select 2;"}));
  EXPECT_EQ(statements("select ';'; do $$ begin; end $$; select \"a;\" -- ;"),
            (List{"select ';';", " do $$ begin; end $$;", " select \"a;\" -- ;"}));
  EXPECT_EQ(statements("create rule r as on insert to t do (select 1; select 2); select 3"),
            (List{"create rule r as on insert to t do (select 1; select 2);", " select 3"}));
  EXPECT_EQ(statements("begin; select 1; end; select case when a then 1 end; select 2").size(), 5U);
}

TEST(PostgresLexerTest, KeepsTheBodyOfAFunctionWhole) {
  const std::string function =
      "create or replace function f(a int) returns int language sql begin atomic select case when "
      "a > 1 then 1 end; select 2; end;";
  EXPECT_EQ(statements(function + " select 3"), (List{function, " select 3"}));
  const std::string procedure = "CREATE PROCEDURE p() BEGIN ATOMIC delete from t; END;";
  EXPECT_EQ(statements(procedure + procedure), (List{procedure, procedure}));
  EXPECT_EQ(statements("create table begin_(a int); select 1").size(), 2U);
}

TEST(PostgresLexerTest, KnowsWhatEndsATransaction) {
  for (const std::string_view sql :
       {"begin", "START TRANSACTION", "commit and chain", "end", "rollback to s", "Abort",
        "savepoint s", "release s", "prepare transaction 'x'", "PREPARE /* */ TRANSACTION $$x$$",
        "-- x\n commit", "; commit", "copy t from stdin", "COPY t (a, b) FROM STDIN WITH csv"})
    EXPECT_TRUE(crosses_fence(sql)) << sql;
  for (const std::string_view sql :
       {"", "select 1", "prepare p as select 1", "prepare transaction as select 1",
        "copy t from '/stdin'", "copy t to stdout", "copy \"from\" to '/stdin'", "\"commit\"",
        "select 'commit'", "do $$ begin end $$", "insert into begin_ values (1)"})
    EXPECT_FALSE(crosses_fence(sql)) << sql;
}

TEST(PostgresLexerTest, FindsTheFirstWord) {
  EXPECT_EQ(first_word("/* a */ SELECT 1"), "select");
  EXPECT_EQ(first_word("(values (1))"), "values");
  EXPECT_EQ(first_word("'select'"), "");
  EXPECT_EQ(first_word(""), "");
}

}  // namespace
}  // namespace vestige::postgres
