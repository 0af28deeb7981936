// Rows of PostgreSQL: pulled one at a time, put aside for another command, left unfinished.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <stdexcept>
#include <string>

#include "test/postgres_server.h"
#include "vestige/db/postgres.h"
#include "vestige/db/spill.h"

namespace vestige {
namespace {

// 0 under the address sanitizer, which keeps what was freed for a while.
std::int64_t resident_kilobytes() {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  return 0;
#endif
#endif
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6));
  return 0;
}

class PostgresStreamTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(opened_.has_value()) << opened_.error().message;
    (*opened_)->names_of_caller(true);
  }
  Postgres& db() { return **opened_; }
  void must(std::string_view sql) {
    const auto done = db().script(sql);
    ASSERT_TRUE(done.has_value()) << sql << ": " << done.error().message;
  }
  std::unique_ptr<Rows> query(std::string_view sql) {
    auto rows = db().query(sql);
    if (!rows.has_value()) throw std::runtime_error(rows.error().message);
    return std::move(*rows);
  }
  static std::int64_t rest(Rows& rows) {
    std::int64_t count = 0;
    while (true) {
      const auto step = rows.next();
      if (!step.has_value()) throw std::runtime_error(step.error().message);
      if (*step == Step::end) return count;
      ++count;
    }
  }
  std::int64_t integer(std::string_view sql) { return scalar_integer(db(), sql).value_or(-1); }
  std::string message(std::string_view sql) {
    const auto done = db().run(sql);
    return done.has_value() ? "" : done.error().message;
  }

  ScratchDatabase database_;
  Result<std::unique_ptr<Postgres>> opened_ = Postgres::open(database_.url());
};

constexpr std::string_view kMillion =
    "select i, repeat('x', 200) from generate_series(1, 1000000) i";

TEST_F(PostgresStreamTest, StreamsAMillionRowsInConstantMemory) {
  auto rows = query(kMillion);
  ASSERT_EQ(*rows->next(), Step::row);
  const std::int64_t before = resident_kilobytes();
  std::int64_t sum = rows->integer(0);
  std::int64_t most = before;
  for (int i = 2; i <= 1'000'000; ++i) {
    ASSERT_EQ(*rows->next(), Step::row);
    sum += rows->integer(0);
    if (i % 100'000 == 0) most = std::max(most, resident_kilobytes());
  }
  EXPECT_EQ(*rows->next(), Step::end);
  EXPECT_EQ(sum, std::int64_t{1'000'000} * 1'000'001 / 2);
  EXPECT_LT(most - before, 8 * 1024);
}

TEST_F(PostgresStreamTest, PutsRowsAsideForAnotherCommand) {
  const std::int64_t before = resident_kilobytes();
  auto rows =
      query("select i, nullif(i % 3, 0), repeat('x', 200) from generate_series(1, 200000) i");
  ASSERT_EQ(*rows->next(), Step::row);
  EXPECT_EQ(integer("select 42"), 42);  // 40 MB are put aside, most of them in a file
  EXPECT_LT(resident_kilobytes() - before, 16 * 1024);
  EXPECT_EQ(rows->integer(0), 1);  // still the row that was read last
  EXPECT_EQ(rows->columns(), 3);
  EXPECT_EQ(rows->name(0), "i");
  for (int i = 2; i <= 200'000; ++i) {
    ASSERT_EQ(*rows->next(), Step::row);
    ASSERT_EQ(rows->integer(0), i);
    ASSERT_EQ(rows->is_null(1), i % 3 == 0);
    ASSERT_EQ(rows->text(2).size(), 200U);
    if (i % 50'000 == 0) {
      EXPECT_EQ(integer("select 42"), 42);
    }
  }
  EXPECT_EQ(*rows->next(), Step::end);
  EXPECT_EQ(*rows->next(), Step::end);
  EXPECT_TRUE(rows->is_null(0));
}

TEST_F(PostgresStreamTest, PutsRowsAsideBeforeTheFirstIsPulled) {
  auto first = query("select i from generate_series(1, 3) i");
  auto second = query("select i from generate_series(1, 4) i");
  auto third = query("select 1 where false");
  EXPECT_EQ(rest(*first), 3);
  EXPECT_EQ(rest(*second), 4);
  EXPECT_EQ(rest(*third), 0);
}

TEST_F(PostgresStreamTest, KeepsWhatIsReadAcrossCommitAndRollback) {
  must("create table t (a integer); insert into t select generate_series(1, 5)");
  must("begin");
  auto rows = query("select a from t");
  ASSERT_EQ(*rows->next(), Step::row);
  db().rollback();
  EXPECT_FALSE(db().in_transaction());
  EXPECT_EQ(rest(*rows), 4);
}

TEST_F(PostgresStreamTest, ReportsAnErrorBehindTheRowsBeforeIt) {
  for (const bool aside : {false, true}) {
    auto rows = query("select 1 / (3 - i) from generate_series(1, 5) i");
    ASSERT_EQ(*rows->next(), Step::row);
    if (aside) {
      EXPECT_EQ(integer("select 42"), 42);
    }
    ASSERT_EQ(*rows->next(), Step::row);
    for (int i = 0; i < 2; ++i) {
      const auto step = rows->next();
      ASSERT_FALSE(step.has_value());
      EXPECT_EQ(step.error().message, "run sql: division by zero");
    }
  }
  EXPECT_EQ(integer("select 42"), 42);
}

TEST_F(PostgresStreamTest, SaysWhenThereIsNoRoomForRows) {
  const char* directory = getenv("TMPDIR");
  const std::string before = directory == nullptr ? "" : directory;
  setenv("TMPDIR", "/nowhere", 1);
  auto rows = query("select i, repeat('x', 200) from generate_series(1, 50000) i");
  EXPECT_EQ(integer("select 42"), 42);
  if (directory == nullptr) unsetenv("TMPDIR");
  else setenv("TMPDIR", before.c_str(), 1);
  Result<Step> step = Step::row;
  int seen = -1;
  for (; step.has_value() && *step == Step::row; ++seen) step = rows->next();
  EXPECT_GT(seen, 10'000);
  ASSERT_FALSE(step.has_value());
  EXPECT_EQ(step.error().fault, Fault::offline);
  EXPECT_EQ(step.error().message, "keep rows aside in a temporary file: No such file or directory");
}

TEST_F(PostgresStreamTest, LetsWhatWasLeftUnfinishedStand) {
  must("create table t (a integer)");
  query("insert into t select generate_series(1, 50000) returning a, repeat('x', 200)").reset();
  EXPECT_EQ(integer("select count(*) from t"), 50'000);
  must("begin; insert into t values (0)");
  query("select repeat('x', 1000) from generate_series(1, 50000)").reset();
  EXPECT_TRUE(db().in_transaction());
  must("commit");
  EXPECT_EQ(integer("select count(*) from t"), 50'001);
}

TEST_F(PostgresStreamTest, CancelsALongRestThatNobodyReads) {
  auto rows = query("select generate_series(1, 1000000000000)");  // days, if it is not cancelled
  ASSERT_EQ(*rows->next(), Step::row);
  rows.reset();
  EXPECT_EQ(integer("select 42"), 42);
}

TEST_F(PostgresStreamTest, RefusesCopyOverTheConnection) {
  must("create table t (a integer)");
  EXPECT_EQ(message("copy t from stdin"), "run sql: COPY FROM STDIN has no input here");
  EXPECT_EQ(message("copy (select generate_series(1, 1000)) to stdout"),
            "run sql: COPY TO STDOUT has no output here");
  EXPECT_FALSE(db().script("copy t from stdin; select 1").has_value());
  EXPECT_EQ(integer("select count(*) from t"), 0);
}

TEST_F(PostgresStreamTest, FencesWhatOnlyPostgresHas) {
  must("create table t (a integer); begin");
  {
    const Fence fence(db());
    for (const std::string_view sql :
         {"start transaction", "abort", "prepare transaction 'x'", "copy t from stdin"}) {
      const auto done = db().run(sql);
      ASSERT_FALSE(done.has_value()) << sql;
      EXPECT_EQ(done.error().message,
                "run sql: the script is one transaction, it cannot begin or end another");
    }
    EXPECT_FALSE(db().run("do $$ begin commit; end $$").has_value());  // the server's own fence
  }
  EXPECT_TRUE(db().in_transaction());
}

TEST_F(PostgresStreamTest, RunsAScriptWithFunctions) {
  must(
      "create function one() returns int language plpgsql as $f$ begin return 1; end; $f$;"
      "create table t (a integer);"
      "do $$ begin insert into t values (one()); insert into t values (2); end $$;");
  EXPECT_EQ(integer("select count(*) from t"), 2);
  if (db().version() >= 140'000) {
    must("create function two() returns int begin atomic select 1; select 2; end; select two()");
    EXPECT_EQ(integer("select two()"), 2);
  }
}

TEST_F(PostgresStreamTest, LeavesToSqliteWhatOnlySqliteHas) {
  EXPECT_EQ(db().application_triggers(false).error().message,
            "switch triggers: only SQLite has one switch for them all");
  EXPECT_EQ(db().writes("select 1").error().message,
            "find what a statement writes: only SQLite tells");
}

TEST(SpillTest, GivesRecordsBackInOrder) {
  Spill spill;
  std::string record;
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(spill.append(std::string(100'000 + i, 'a')).has_value());
  ASSERT_TRUE(spill.append("").has_value());
  ASSERT_TRUE(spill.append("last").has_value());
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(*spill.next(record), 'y');
    ASSERT_EQ(record, std::string(100'000 + i, 'a'));
  }
  ASSERT_EQ(*spill.next(record), 'y');
  EXPECT_EQ(record, "");
  ASSERT_EQ(*spill.next(record), 'y');
  EXPECT_EQ(record, "last");
  EXPECT_EQ(*spill.next(record), 'n');
  EXPECT_EQ(*spill.next(record), 'n');
}

}  // namespace
}  // namespace vestige
