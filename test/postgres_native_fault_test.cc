// Errors in the middle of capture: in a value's output function, at the trail's tables, by a statement that is
// cancelled; hundreds of thousands of them, while other sessions write. No backend may crash or grow, the session's
// settings stay, and what is recorded is what happened.
#include <gtest/gtest.h>

#include <atomic>

#include "test/postgres_native.h"

namespace vestige {
namespace {

class PostgresNativeFault : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!NativeTwins::there(shop)) GTEST_SKIP() << "the server has no native engine";
    s.run(
        "create type mood as enum ('good', 'broken'); "
        "create table t (id int primary key, at timestamptz, m mood, v text); "
        "insert into t select i, '2024-10-27 01:30+00', case when i > 50 then 'broken' else "
        "'good' end::mood, 'v' from generate_series(1, 100) i; "
        "select vestige.track('t', baseline => true); select vestige.set_engine('t', 'native'); "
        // A value whose text is gone: its output function raises.
        "delete from pg_enum where enumlabel = 'broken'; "
        "set timezone = 'Asia/Kathmandu'; set datestyle = 'German'");
  }
  // Bytes that the session's backend uses for itself.
  long long memory() { return context_bytes(s); }
  // What they may grow by. The system gives larger pieces than are used.
  long long room() { return tells_of_memory(s) ? 300'000 : 3'000'000; }
  void same_session() {
    EXPECT_EQ(s.one("show timezone"), "Asia/Kathmandu");
    EXPECT_EQ(s.one("select to_char('2024-01-01 00:00+00'::timestamptz, 'HH24:MI')"), "05:45");
    EXPECT_EQ(s.one("select ('2024-01-02 00:00+00'::timestamptz)::text"),
              "02.01.2024 05:45:00 +0545");
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

constexpr const char* kProvoke = R"(
do $$
begin
  for i in 1..%d loop
    begin
      delete from t where id = 50 + i %% 50 + 1;
      raise 'the error did not come';
    exception when internal_error or invalid_binary_representation then
      null;
    end;
    if i %% 100 = 0 then
      update t set v = i::text where id = 1;
    end if;
  end loop;
end $$)";

std::string provoke(int times) {
  std::string sql(1000, '\0');
  sql.resize(static_cast<std::size_t>(std::snprintf(sql.data(), sql.size(), kProvoke, times)));
  return sql;
}

TEST_F(PostgresNativeFault, InOutputFunctions) {
  s.run(provoke(2000));
  const long long before = memory();
  for (int i = 0; i < 10; ++i) {
    s.run(provoke(20'000));
    same_session();
  }
  EXPECT_LT(memory(), before + room());
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where op = 'D'"), "0");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where op = 'U'"), "2020");
}

TEST_F(PostgresNativeFault, AtTheTrail) {
  s.run("create sequence before_that; select setval('vestige.change_id', 1000)");
  s.run("alter sequence vestige.change_id maxvalue 1001");
  s.run("update t set v = 'a' where id = 1");
  for (int i = 0; i < 1000; ++i)
    EXPECT_NE(s.error("update t set v = 'b' where id = 1").find("reached maximum value"),
              std::string::npos);
  s.run("alter sequence vestige.change_id no maxvalue");
  s.run("update t set v = 'c' where id = 1");
  EXPECT_EQ(s.one("select string_agg(new_row, ' ' order by id) from vestige.change where op = 'U'"),
            "(,,,a) (,,,c)");
  same_session();
}

TEST_F(PostgresNativeFault, ALockedTrailAndStatementsThatAreCancelled) {
  PgSession holder = shop.connect();
  holder.run("begin; lock table vestige.change in share row exclusive mode");
  s.run("set lock_timeout = '20ms'");
  for (int i = 0; i < 20; ++i)
    EXPECT_NE(s.error("update t set v = 'b' where id = 1").find("lock timeout"), std::string::npos);
  holder.run("rollback");
  s.run("set lock_timeout = 0; set statement_timeout = '15ms'");
  int cancelled = 0;
  for (int i = 0; i < 40; ++i)
    cancelled += s.error("update t set v = v || " + std::to_string(i) +
                         " from generate_series(1, 1) where id <= 50; select pg_sleep(0.001)")
                         .empty()
                     ? 0
                     : 1;
  s.run("set statement_timeout = 0; update t set v = 'end' where id <= 50");
  same_session();
  EXPECT_EQ(s.one("select count(*)::text from vestige.change c where op = 'U' and not exists "
                  "(select from vestige.context x where x.id = c.context and x.xid = c.xid)"),
            "0")
      << cancelled;
}

TEST_F(PostgresNativeFault, UnderLoad) {
  std::atomic<int> done = 0;
  std::vector<std::thread> writers;
  for (int w = 0; w < 3; ++w)
    writers.emplace_back([&, w] {
      PgSession own = shop.connect();
      for (int i = 0; i < 150; ++i) {
        const std::string id = std::to_string(10 + w * 10 + i % 10);
        own.run("begin; update t set v = '" + std::to_string(i) + "' where id = " + id +
                "; savepoint a; update t set v = 'undone' where id = " + id +
                "; rollback to a; update t set at = at + interval '1 s' where id = " + id +
                (i % 3 == 0 ? "; rollback" : "; commit"));
        ++done;
      }
    });
  s.run(provoke(50'000));
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(done, 450);
  same_session();
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where op = 'U'"),
            std::to_string(500 + 3 * 100 * 2));
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where new_row ~ 'undone'"), "0");
}

TEST_F(PostgresNativeFault, ALongLifeTakesNoMore) {
  const auto work = [&] {
    s.run(
        "do $$ begin for i in 1..3000 loop update t set v = i::text, at = at + interval '1 s' "
        "where id <= 5; begin update t set v = 'x' where id <= 5; raise division_by_zero; "
        "exception when division_by_zero then null; end; end loop; end $$; "
        "alter table t add x int; update t set v = 'altered' where id = 1; alter table t drop x; "
        "update t set v = 'and back' where id = 1");
  };
  work();
  work();
  const long long before = memory();
  for (int i = 0; i < 5; ++i) work();
  EXPECT_LT(memory(), before + room());
}

}  // namespace
}  // namespace vestige
