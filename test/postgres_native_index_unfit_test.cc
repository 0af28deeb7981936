// What the native engine's indexes do not answer for is refused when it is made: every option of CREATE INDEX, every type
// of the server, operators that are not bigint's own. What is accepted answers as the table does.
#include <gtest/gtest.h>

#include "test/native_index.h"

namespace vestige {
namespace {

class PostgresNativeIndexUnfit : public NativeTable {
 protected:
  void SetUp() override {
    NativeTable::SetUp();
    if (IsSkipped()) return;
    // Numbers at both ends, nulls, and some twice; blocks that are closed and a tail.
    s.run(
        "create table w (a bigint, b bigint, c text); insert into w select case when i % 7 = 0 "
        "then "
        "null when i % 11 = 0 then 9223372036854775807 when i % 13 = 0 then -9223372036854775808 "
        "else i % 200 end, i, repeat('c', 200) from generate_series(1, 1500) i; set "
        "client_min_messages = warning");
  }
  // The questions that an index over `a` may answer, asked with and without it.
  std::string answers(bool by_index) {
    s.run(by_index
              ? "set enable_seqscan = off; set enable_sort = off; set enable_bitmapscan = on"
              : "set enable_seqscan = on; set enable_sort = on; set enable_indexscan = off; set "
                "enable_bitmapscan = off");
    std::string out;
    for (const char* asked :
         {"select a from w order by a", "select a from w order by a desc",
          "select a from w order by a nulls first", "select a from w order by a desc nulls last",
          "select a from w where a > 5 order by a",
          "select a from w where a <= 90::int order by a desc",
          "select a from w where a = 9223372036854775807 order by b",
          "select a from w where a = 12::bigint order by b",
          "select a from w where a is null order by b",
          "select a from w where a >= 3::smallint order by a limit 20", "select min(a) as a from w",
          "select max(a) as a from w"})
      out += s.one("select string_agg(coalesce(a::text, 'null'), ',') from (" + std::string(asked) +
                   ") q") +
             "\n";
    s.run(
        "reset enable_seqscan; reset enable_sort; reset enable_indexscan; reset enable_bitmapscan");
    return out;
  }
};

constexpr const char* kMethods[] = {"vestige_order", "vestige_runs"};

TEST_F(PostgresNativeIndexUnfit, EveryOptionIsRefusedOrAnsweredFor) {
  const std::string truth = answers(false);
  EXPECT_NE(truth.find("9223372036854775807,null"), std::string::npos);
  int accepted = 0;
  for (const char* method : kMethods)
    for (const char* unique : {"", "unique "})
      for (const char* column : {"a", "a, b", "(a + 1)", "a collate \"C\"", "b, a"})
        for (const char* order : {"", " asc", " desc"})
          for (const char* nulls : {"", " nulls first", " nulls last"})
            for (const char* more : {"", " include (b)", " where a > 3"}) {
              const std::string sql = std::string("create ") + unique + "index made on w using " +
                                      method + " (" + column + order + nulls + ")" + more;
              if (!s.error(sql).empty()) continue;
              ++accepted;
              EXPECT_EQ(answers(true), truth) << sql;
              s.run("drop index made");
            }
  // (a), and in the order that is the only one: (a asc), (a nulls last), (a asc nulls last). Runs have none.
  EXPECT_EQ(accepted, 5);
  const auto refused = [&](const std::string& rest) {
    return s.error("create index made on w using vestige_order " + rest);
  };
  for (const char* otherwise : {"(a desc)", "(a nulls first)", "(a desc nulls last)"})
    EXPECT_NE(refused(otherwise).find("index made cannot have another order"), std::string::npos);
  EXPECT_NE(refused("(a) where b > 1").find("must be over a column, and have all rows"),
            std::string::npos);
}

TEST_F(PostgresNativeIndexUnfit, Constraints) {
  s.run("create table e (a bigint)");
  EXPECT_NE(s.error("alter table e add exclude using vestige_order (a with =)")
                .find("cannot serve a constraint"),
            std::string::npos);
  EXPECT_NE(s.error("alter table e add exclude using vestige_runs (a with =)"), "");
  EXPECT_NE(
      s.error("create unlogged table f (a bigint); create index made on f using vestige_order (a)")
          .find("cannot be unlogged"),
      std::string::npos);
  s.run("create index fits on e using vestige_order (a)");
  EXPECT_NE(s.error("alter table e add unique using index fits"), "");
  EXPECT_NE(s.error("cluster e using fits"), "");
  s.run("create table p (a bigint) partition by range (a); create table p1 partition of p default");
  EXPECT_NE(
      s.error("create index on p using vestige_order (a desc)").find("cannot have another order"),
      std::string::npos);
}

TEST_F(PostgresNativeIndexUnfit, EveryTypeButBigint) {
  s.run("create domain whole as bigint");
  std::string accepted;
  for (const auto& row : s.table(
           "select format_type(t.oid, null) from pg_type t where t.typtype in ('b', 'd', 'e', 'r', "
           "'m') "
           "and t.typnamespace in ('pg_catalog'::regnamespace, 'public'::regnamespace) order by 1"))
    for (const char* method : kMethods)
      if (s.error("begin; create table typed (a " + *row[0] + "); create index on typed using " +
                  method + " (a); rollback")
              .empty())
        accepted += *row[0] + " ";
      else s.run("rollback");
  EXPECT_EQ(accepted, "bigint bigint whole whole ");
}

TEST_F(PostgresNativeIndexUnfit, OperatorsThatAreNotItsOwn) {
  for (const char* made :
       {"create operator class other for type int using vestige_order as operator 1 <, operator 2 "
        "<=, operator 3 =, operator 4 >=, operator 5 >",
        "create operator class other for type bigint using vestige_order as operator 1 >, operator "
        "2 >=, operator 3 =, operator 4 <=, operator 5 <",
        "create operator class other for type bigint using vestige_order as operator 1 <",
        "create operator class other for type bigint using vestige_runs as operator 1 <>",
        "create operator class other for type text using vestige_runs as operator 1 ="}) {
    s.run(made);
    const std::string method =
        std::string(made).find("_runs") != std::string::npos ? kMethods[1] : kMethods[0];
    EXPECT_EQ(s.one("select amvalidate(oid)::text from pg_opclass where opcname = 'other'"),
              "false");
    const std::string column = std::string(made).find("bigint") != std::string::npos ? "a"
                               : std::string(made).find("text") != std::string::npos ? "c"
                                                                                     : "d";
    if (column == "d") s.run("alter table w add column d int");
    EXPECT_NE(s.error("create index made on w using " + method + " (" + column + " other)")
                  .find("must be over a bigint, by the operators of bigint"),
              std::string::npos)
        << made;
    s.run("drop operator class other using " + method +
          "; drop operator family if exists other using " + method);
  }
  EXPECT_EQ(s.one("select string_agg(amvalidate(c.oid)::text, ' ') from pg_opclass c join pg_am m "
                  "on m.oid = c.opcmethod where amname ~ '^vestige_'"),
            "true true");
  // One that comes to the family of an index that stands.
  s.run(
      "create index made on w using vestige_order (a); create function odd(bigint, text) returns "
      "boolean immutable language plpgsql as 'begin return $1 = length($2); end'; create operator "
      "public.=== "
      "(function = odd, leftarg = bigint, rightarg = text); alter operator family "
      "vestige.id_order using vestige_order add operator 3 public.=== (bigint, text); set "
      "enable_seqscan = off");
  EXPECT_NE(s.error("select from w where a === 'abc'")
                .find("index made does not know an operator of its family"),
            std::string::npos);
  s.run(
      "alter operator family vestige.id_order using vestige_order drop operator 3 (bigint, text)");
  EXPECT_EQ(s.one("select count(*)::text from w where a === 'abc'"),
            s.one("select count(*)::text from w where a + 0 = 3"));
}

}  // namespace
}  // namespace vestige
