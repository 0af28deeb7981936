// Work on many tables beside an application that goes on writing (vestige/trail/table_work.h): nobody waits for each other in a
// circle, and a table that somebody holds keeps no other from its turn.
#include <atomic>
#include <deque>

#include "test/postgres_capture.h"
#include "vestige/audit/plan.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

class PostgresLocks : public testing::Test {
 protected:
  // t1, t2, …
  void make_tables(int count) {
    for (int i = 1; i <= count; ++i)
      s.run("create table t" + std::to_string(i) + " (id int primary key, x int)");
  }
  TableWork each(const std::function<Result<void>(const std::string&)>& work) {
    TableWork all;
    all.begin = [this]() -> Result<std::vector<std::string>> {
      return names = TRY(trackable_tables(s.db()));
    };
    all.table = [this, work](std::size_t place) { return work(names[place]); };
    return all;
  }
  // Tracks every table; what is left, as "message" or "message (hint)".
  std::vector<std::string> track_all(bool with_baseline = false) {
    return left(table_by_table(s.db(), each([&](const std::string& name) -> Result<void> {
                                 const Tracked table = TRY(track(s.db(), name, {}));
                                 if (with_baseline) TRY(baseline(s.db(), table));
                                 return {};
                               }),
                               "10ms"));
  }
  std::vector<std::string> untrack_all() {
    return left(table_by_table(
        s.db(), each([&](const std::string& name) { return untrack(s.db(), name); }), "10ms"));
  }
  static std::vector<std::string> left(const Result<std::vector<Undone>>& undone) {
    if (!undone.has_value()) return {"failed: " + undone.error().message};
    std::vector<std::string> out;
    for (const Undone& one : *undone) out.push_back(one.error.message);
    return out;
  }
  std::string tracked() {
    return s.one(
        "select coalesce(string_agg(table_name, ' ' order by table_name collate \"C\"), '') from "
        "vestige.tracked where untracked_at is null");
  }

  PgShop shop;
  PgSession& s = shop.admin;
  std::vector<std::string> names;
};

// Each writer's transactions write two tables in any order, which a work that holds one and waits for another would meet.
TEST_F(PostgresLocks, WritersBesideTrackingEndInNoDeadlockAndLoseNothing) {
  constexpr int kTables = 12;
  constexpr int kWriters = 8;
  make_tables(kTables);
  s.run("create sequence ids");
  std::atomic<bool> tracking = true;
  std::atomic<int> begun = 0;
  std::deque<std::string> problems(kWriters);
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer)
    writers.emplace_back([&, writer] {
      PgSession mine = shop.connect();
      unsigned dice = static_cast<unsigned>(writer) + 1;
      const auto table = [&] {
        dice = dice * 1664525U + 1013904223U;
        return "t" + std::to_string((dice >> 16) % kTables + 1);
      };
      for (bool first = true; tracking && problems[writer].empty(); first = false) {
        problems[writer] = mine.error(
            "begin; insert into " + table() + " values (nextval('ids'), 1); insert into " +
            table() + " values (nextval('ids'), 1); update " + table() +
            " set x = x + 1 where id = (select last_value from ids); commit");
        if (first) ++begun;
      }
    });
  while (begun < kWriters) std::this_thread::yield();
  std::vector<std::string> undone;
  for (int round = 0; round < 50; ++round)  // one that was busy all the time is tracked by the next
    if (undone = track_all(true); undone.empty()) break;
  tracking = false;
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(undone, std::vector<std::string>());
  for (const std::string& problem : problems) EXPECT_EQ(problem, "");
  for (int i = 1; i <= kTables; ++i)
    EXPECT_EQ(shop.replayed("public.t" + std::to_string(i)), "") << "t" << i;
}

TEST_F(PostgresLocks, ATableThatSomebodyHoldsIsLeftWithItsReason) {
  make_tables(4);
  PgSession holder = shop.connect();
  holder.run("set application_name = 'nightly'; begin; insert into t2 values (1, 1)");
  const std::string pid = holder.one("select pg_backend_pid()::text");
  const auto undone = track_all();
  ASSERT_EQ(undone.size(), 1U);
  EXPECT_TRUE(undone[0].starts_with("lock table t2: held by process " + pid +
                                    " of postgres (nightly), in a transaction since 20"))
      << undone[0];
  EXPECT_EQ(tracked(), "t1 t3 t4");
  holder.run("insert into t1 values (1, 1); insert into t4 values (1, 1); commit");
  EXPECT_EQ(track_all(), std::vector<std::string>());
  EXPECT_EQ(tracked(), "t1 t2 t3 t4");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change"), "2");
}

TEST_F(PostgresLocks, APreparedTransactionAndTheReaderOfAPartitionAreNamed) {
  s.run(
      "create table t1 (id int primary key); create table p (id int primary key) partition by "
      "range "
      "(id); create table p1 partition of p for values from (0) to (10)");
  s.run("begin; insert into t1 values (1); prepare transaction '" + shop.database.name() + "'");
  PgSession holder = shop.connect();
  holder.run("begin; insert into p1 values (1)");
  auto undone = track_all();
  s.run("rollback prepared '" + shop.database.name() + "'");
  ASSERT_EQ(undone.size(), 2U);
  EXPECT_TRUE(undone[0].starts_with("lock table p: held by process ")) << undone[0];
  EXPECT_EQ(undone[1], "lock table t1: held by a prepared transaction");
  holder.run("rollback");
  EXPECT_EQ(track_all(), std::vector<std::string>());
  holder.run("begin; select from t1");
  undone = untrack_all();
  ASSERT_EQ(undone.size(), 1U);
  EXPECT_TRUE(undone[0].starts_with("lock table t1: held by process ")) << undone[0];
  EXPECT_EQ(tracked(), "t1");
}

TEST_F(PostgresLocks, ATableThatIsRefusedKeepsNoOtherFromItsTurn) {
  make_tables(3);
  s.run("create table t0 (id int primary key, \"begin\" text)");
  s.run(
      "create or replace function vestige.quoted(name text) returns text language sql immutable "
      "set search_path = pg_catalog, pg_temp as $$ select quote_ident(name) $$");
  const auto undone = track_all();
  ASSERT_EQ(undone.size(), 1U);
  EXPECT_TRUE(undone[0].starts_with("track public.t0: ")) << undone[0];
  EXPECT_EQ(tracked(), "t1 t2 t3");
}

TEST_F(PostgresLocks, ApplySaysWhichStepItCouldNotTake) {
  make_tables(3);
  PgSession holder = shop.connect();
  holder.run("begin; insert into t3 values (1, 1)");
  Plan wanted;
  wanted.retention["books"] = {"books", "7 years"};
  for (const char* name : {"t1", "t2", "t3"}) wanted.tables[name] = {};
  const auto told = [&] {
    std::string out;
    const auto steps = apply(s.db(), wanted, "10ms");
    if (!steps.has_value()) return "failed: " + steps.error().message;
    for (const PlanStep& step : *steps)
      out += step.text + (step.undone.has_value() ? " not done; " : "; ");
    return out;
  };
  EXPECT_EQ(told(), "retention books: 7 years; track t1; track t2; track t3 not done; ");
  EXPECT_EQ(tracked(), "t1 t2");
  holder.run("commit");
  EXPECT_EQ(told(), "track t3; ");
  EXPECT_EQ(told(), "");
}

// Nothing is left to be tried when the session is gone.
TEST_F(PostgresLocks, ALostConnectionEndsTheWork) {
  make_tables(2);
  PgSession mine = shop.connect();
  const std::string pid = mine.one("select pg_backend_pid()::text");
  TableWork work;
  work.begin = []() -> Result<std::vector<std::string>> {
    return std::vector<std::string>{"t1", "t2"};
  };
  int tried = 0;
  work.table = [&](std::size_t) -> Result<void> {
    ++tried;
    s.run("select pg_terminate_backend(" + pid + ")");
    TRY(mine.db().run("select pg_catalog.pg_sleep(60)"));
    return {};
  };
  const auto undone = table_by_table(mine.db(), work);
  ASSERT_FALSE(undone.has_value());
  EXPECT_EQ(undone.error().fault, Fault::offline) << undone.error().message;
  EXPECT_EQ(tried, 1);
}

}  // namespace
}  // namespace vestige
