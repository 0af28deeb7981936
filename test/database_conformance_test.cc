// The conformance suite of the seam, run against every back end (test/database_conformance.h).
#include "test/database_conformance.h"

#include <rapidcheck/gtest.h>

#include "test/generators.h"

namespace vestige {

TEST_P(DatabaseConformance, PullsRowsOneAtATimeAndStaysAtTheEnd) {
  auto rows = db().query("select 1 as one, 'x' as \"odd name\" union all select 2, null");
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ((*rows)->columns(), 2);
  EXPECT_EQ((*rows)->name(0), "one");
  EXPECT_EQ((*rows)->name(1), "odd name");
  EXPECT_EQ(*(*rows)->next(), Step::row);
  EXPECT_EQ((*rows)->integer(0), 1);
  EXPECT_EQ((*rows)->text(1), "x");
  EXPECT_FALSE((*rows)->is_null(1));
  EXPECT_EQ(*(*rows)->next(), Step::row);
  EXPECT_EQ((*rows)->integer(0), 2);
  EXPECT_TRUE((*rows)->is_null(1));
  EXPECT_EQ((*rows)->text(1), "");
  EXPECT_EQ((*rows)->integer(1), 0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*(*rows)->next(), Step::end);
}

TEST_P(DatabaseConformance, RunsAStatementOnceHoweverOftenItsEndIsAskedFor) {
  must_run("create table t (a integer)");
  auto rows = db().query("insert into t values (1) returning a");
  ASSERT_TRUE(rows.has_value());
  while (*(*rows)->next() == Step::row) {
  }
  EXPECT_EQ(*(*rows)->next(), Step::end);
  rows->reset();
  EXPECT_EQ(count("t"), 1);
}

TEST_P(DatabaseConformance, ReadsTheFirstColumnOfTheFirstRow) {
  EXPECT_TRUE(identical(read("select 7, 8 union all select 9, 10"), std::int64_t{7}));
  EXPECT_TRUE(identical(read("select 1 where 1 = 0"), Null{}));
  EXPECT_EQ(*scalar_integer(db(), "select 'seven'"), 0);
  EXPECT_EQ(*scalar_integer(db(), "select 1 where 1 = 0"), 0);
  EXPECT_FALSE(scalar(db(), "selekt").has_value());
}

TEST_P(DatabaseConformance, CountsTheRowsThatAStatementChanged) {
  EXPECT_EQ(*db().run("create table t (a integer)"), 0);
  EXPECT_EQ(*db().run("insert into t values (1), (2), (3)"), 3);
  EXPECT_EQ(*db().run("select * from t"), 0);
  EXPECT_EQ(*db().run("update t set a = 0 where a > 1"), 2);
  EXPECT_EQ(*db().run("update t set a = 0 where a > 100"), 0);
  EXPECT_EQ(*db().run("create table u (a integer)"), 0);
  EXPECT_EQ(*db().run("delete from t"), 3);
}

TEST_P(DatabaseConformance, RunsEveryStatementOfAScript) {
  ASSERT_TRUE(db().script("create table t (a integer); -- one; two\n"
                          "insert into t values (1);\n/* ; */ insert into t values (2)")
                  .has_value());
  EXPECT_EQ(count("t"), 2);
  for (const std::string_view nothing :
       {std::string_view(), std::string_view(""), std::string_view(" \n"),
        std::string_view("-- only talk"), std::string_view(";;")})
    EXPECT_TRUE(db().script(nothing).has_value()) << nothing;
}

TEST_P(DatabaseConformance, StopsAScriptAtTheFirstFailure) {
  const auto done = db().script(
      "create table t (a integer); insert into nowhere values (1); "
      "insert into t values (1)");
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().fault, Fault::invalid);
  EXPECT_EQ(count("t"), 0);
}

TEST_P(DatabaseConformance, RefusesSqlThatIsNoStatement) {
  using namespace std::string_view_literals;
  for (const std::string_view sql : {""sv, "  "sv, "-- talk"sv, ";"sv, "selekt 1"sv,
                                     "select * from nowhere"sv, "select 1\0; select 2"sv, "\0"sv})
    EXPECT_EQ(fault(db(), sql), Fault::invalid) << sql;
  EXPECT_EQ(db().run("").error().message, "run sql: nothing to run");
  EXPECT_EQ(db().script("select 1; \0"sv).error().message, "run sql: a NUL byte in the text");
}

TEST_P(DatabaseConformance, RefusesMoreValuesThanTheStatementTakes) {
  EXPECT_EQ(fault(db(), "select 1", {std::int64_t{1}}), Fault::invalid);
}

TEST_P(DatabaseConformance, DeniesWhatAConstraintForbids) {
  must_run("create table t (a integer primary key, b text not null unique, check (a < 100))");
  must_run("insert into t values (1, 'x')");
  EXPECT_EQ(fault(db(), "insert into t values (1, 'y')"), Fault::denied);
  EXPECT_EQ(fault(db(), "insert into t values (2, 'x')"), Fault::denied);
  EXPECT_EQ(fault(db(), "insert into t values (2, null)"), Fault::denied);
  EXPECT_EQ(fault(db(), "insert into t values (100, 'y')"), Fault::denied);
  EXPECT_EQ(count("t"), 1);
}

TEST_P(DatabaseConformance, QuotesAnyName) {
  for (const std::string name : {"plain", "select", "with space", "q\"uote", "'", "größe", "a.b",
                                 "--", "Ünïcode 😀", "]", "`", "$1", "?1", "1"}) {
    const std::string quoted = db().quote_name(name);
    must_run(fmt::format("create table {0} ({0} integer)", quoted));
    must_run(fmt::format("insert into {0} ({0}) values (7)", quoted));
    auto rows = db().query(fmt::format("select {0}.{0} from {0}", quoted));
    ASSERT_TRUE(rows.has_value()) << name;
    ASSERT_EQ(*(*rows)->next(), Step::row);
    EXPECT_EQ((*rows)->name(0), name);
    EXPECT_EQ((*rows)->integer(0), 7);
  }
}

TEST_P(DatabaseConformance, TakesAndGivesValuesIdentical) {
  rc::check([&] {
    const Value value = *any_value();
    if (harness().holds(value)) RC_ASSERT(identical(read("select ?1", {value}), value));
    else RC_ASSERT(fault(db(), "select ?1", {value}) == Fault::invalid);
  });
}

TEST_P(DatabaseConformance, WritesLiteralsThatReadBackIdentical) {
  rc::check([&] {
    const Value value = *any_value();
    const std::string literal = db().literal(value);
    RC_LOG(literal);
    if (harness().holds(value)) RC_ASSERT(identical(read("select " + literal), value));
    else RC_ASSERT(fault(db(), "select " + literal) == Fault::invalid);
  });
}

TEST_P(DatabaseConformance, WritesRealLiteralsToTheLastBit) {
  std::uint64_t bits = 0x2545F4914F6CDD1D;
  for (int i = 0; i < 2'000; ++i) {
    bits = bits * 6364136223846793005U + 1442695040888963407U;
    for (const double real : {std::bit_cast<double>(bits), std::bit_cast<double>(bits >> 12),
                              static_cast<double>(bits >> 40) / 100}) {
      if (std::isnan(real)) continue;
      const std::string literal = db().literal(real);
      ASSERT_TRUE(identical(read("select " + literal), real)) << literal;
    }
  }
}

TEST_P(DatabaseConformance, CommitsAndRollsBack) {
  must_run("create table t (a integer)");
  {
    auto transaction = Transaction::begin(db());
    ASSERT_TRUE(transaction.has_value());
    EXPECT_TRUE(db().in_transaction());
    must_run("insert into t values (1)");
  }
  EXPECT_FALSE(db().in_transaction());
  EXPECT_EQ(count("t"), 0);
  {
    auto transaction = Transaction::begin(db());
    ASSERT_TRUE(transaction.has_value());
    must_run("insert into t values (1)");
    ASSERT_TRUE(transaction->commit().has_value());
  }
  EXPECT_FALSE(db().in_transaction());
  EXPECT_EQ(count("t"), 1);
  db().rollback();  // outside a transaction: nothing happens
  EXPECT_EQ(count("t"), 1);
}

TEST_P(DatabaseConformance, RefusesATransactionInsideATransaction) {
  auto outer = Transaction::begin(db());
  ASSERT_TRUE(outer.has_value());
  EXPECT_FALSE(Transaction::begin(db()).has_value());
  EXPECT_TRUE(db().in_transaction());
}

TEST_P(DatabaseConformance, SaysConflictWhenAnotherHoldsTheLock) {
  must_run("create table t (a integer)");
  must_run("insert into t values (1)");
  const auto other = harness().connect(true);
  auto transaction = Transaction::begin(db());
  ASSERT_TRUE(transaction.has_value());
  must_run("update t set a = 2");
  EXPECT_EQ(fault(*other, "update t set a = 3"), Fault::conflict);
  ASSERT_TRUE(transaction->commit().has_value());
  EXPECT_EQ(fault(*other, "update t set a = 3"), std::nullopt);
}

TEST_P(DatabaseConformance, RollsBackWhenACommitIsRefused) {
  must_run("create table a (id integer primary key)");
  must_run("create table b (a integer references a deferrable initially deferred)");
  {
    auto transaction = Transaction::begin(db());
    ASSERT_TRUE(transaction.has_value());
    must_run("insert into b values (7)");
    const auto committed = transaction->commit();
    ASSERT_FALSE(committed.has_value());
    EXPECT_EQ(committed.error().fault, Fault::denied);
  }
  EXPECT_FALSE(db().in_transaction());
  EXPECT_EQ(count("b"), 0);
}

TEST_P(DatabaseConformance, ReadsSeveralQueriesInTurn) {
  must_run("create table t (a integer)");
  must_run("insert into t values (1), (2), (3)");
  auto outer = db().query("select a from t order by a");
  ASSERT_TRUE(outer.has_value());
  std::string seen;
  for (int i = 1; i <= 3; ++i) {
    ASSERT_EQ(*(*outer)->next(), Step::row);
    auto inner = db().query("select a from t where a <= ?1 order by a", {std::int64_t{i}});
    ASSERT_TRUE(inner.has_value());
    while (*(*inner)->next() == Step::row)
      seen += fmt::format("{}.{} ", (*outer)->integer(0), (*inner)->integer(0));
  }
  EXPECT_EQ(*(*outer)->next(), Step::end);
  EXPECT_EQ(seen, "1.1 2.1 2.2 3.1 3.2 3.3 ");
}

TEST_P(DatabaseConformance, LeavesAQueryUnfinished) {
  must_run("create table t (a integer)");
  must_run("insert into t values (1), (2), (3)");
  auto transaction = Transaction::begin(db());
  ASSERT_TRUE(transaction.has_value());
  must_run("insert into t values (4)");
  for (int i = 0; i < 3; ++i) {
    auto rows = db().query("select a from t order by a");
    ASSERT_TRUE(rows.has_value());
    EXPECT_EQ(*(*rows)->next(), Step::row);
    EXPECT_TRUE(db().in_transaction());
  }
  ASSERT_TRUE(transaction->commit().has_value());
  EXPECT_EQ(count("t"), 4);
}

TEST_P(DatabaseConformance, SplitsAScriptIntoStatements) {
  must_run("create table t (a text)");
  const std::string script =
      " insert into t values (';') ; -- talk;\n"
      ";; insert into t values ('it''s;') /* ; */\n ; /* the end; */ ";
  std::vector<std::string> statements;
  std::string_view rest = script;
  while (true) {
    const auto statement = db().first_statement(rest, rest);
    ASSERT_TRUE(statement.has_value()) << statement.error().message;
    if (statement->empty()) break;
    statements.emplace_back(*statement);
  }
  ASSERT_EQ(statements.size(), 2U);
  EXPECT_NE(statements[0].find("(';') ;"), std::string::npos) << statements[0];
  EXPECT_NE(statements[1].find("'it''s;'"), std::string::npos) << statements[1];
  for (const std::string& statement : statements) must_run(statement);
  EXPECT_EQ(count("t"), 2);
  using namespace std::string_view_literals;
  EXPECT_EQ(db().first_statement("select \0"sv, rest).error().fault, Fault::invalid);
}

TEST_P(DatabaseConformance, KeepsAScriptInsideItsTransactionBehindAFence) {
  must_run("create table t (a integer)");
  auto transaction = Transaction::begin(db());
  ASSERT_TRUE(transaction.has_value());
  {
    const Fence fence(db());
    for (const std::string_view sql :
         {"commit", " /* x */ COMMIT", "rollback", "end", "begin", "savepoint s", "release s"}) {
      EXPECT_EQ(fault(db(), sql), Fault::denied) << sql;
      const auto script = db().script(fmt::format("insert into t values (0); {}", sql));
      ASSERT_FALSE(script.has_value());
      EXPECT_EQ(script.error().fault, Fault::denied) << sql;
    }
    EXPECT_TRUE(db().in_transaction());
  }
  ASSERT_TRUE(transaction->commit().has_value());
  EXPECT_EQ(count("t"), 7);
}

}  // namespace vestige
