// Changes of the native engine that wait, and partitions that end, come and go between (docs/decisions/0016): every row
// stands within the bounds of its partition, ids and times agree, and nothing is lost.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <thread>

#include "test/capture_random.h"
#include "test/postgres_native.h"

namespace vestige {
namespace {

// Changes that stand in a partition whose bounds do not have their time, or in the default one though there is one for
// it; and those whose time is before that of a smaller id.
constexpr const char* kWitness = R"(
create function misplaced() returns bigint language plpgsql as $$
declare
  part record;
  found bigint;
  total bigint := 0;
begin
  for part in select * from vestige.partitions() loop
    execute format('select count(*) from %s where at < %L or at >= %L', part.relation, part.from_at, part.upto) into found;
    total := total + found;
  end loop;
  return total + (select count(*) from vestige.change_default d, vestige.partitions() p where d.at >= p.from_at and d.at < p.upto);
end $$;
create function disordered() returns bigint language sql as
  'select count(*) from (select at, lag(at) over (order by id) as before from vestige.change) c where at < before';
-- A partition from now on, or from the end of the last one, for so long. False where that cannot be: the default one has
-- rows of that time already.
create function part_for(long interval) returns boolean language plpgsql as $$
declare
  from_at timestamptz := greatest(clock_timestamp(), (select max(upto) from vestige.partitions()));
begin
  execute format('create table vestige.part_%s partition of vestige.change for values from (%L) to (%L)',
                 (select count(*) from pg_class), from_at, from_at + long);
  return true;
exception when check_violation or duplicate_table then
  return false;
end $$;
do $$ declare p regclass; begin for p in select relation from vestige.partitions() loop execute format('drop table %s', p); end loop; end $$;
)";

class PostgresNativePartitions : public NativeTable {
 protected:
  void SetUp() override {
    NativeTable::SetUp();
    if (IsSkipped()) return;
    // Few rows, all of them in the trail, which has no partitions yet.
    s.run(
        "drop table t; create table t (id int primary key, v int not null); insert into t select "
        "i, 0 from generate_series(1, 20) i; select vestige.track('t'); select "
        "vestige.set_engine('t', 'native')");
    s.run(kWitness);
    s.run("select vestige.baseline(max(id)) from vestige.tracked");
  }
  std::string recorded() {
    return s.one(
        "select coalesce(string_agg(key || ':' || new_row, ' ' order by id), '') from "
        "vestige.change where op = 'U'");
  }
  void expect_right() {
    EXPECT_EQ(s.one("select misplaced()::text"), "0");
    EXPECT_EQ(s.one("select disordered()::text"), "0");
    EXPECT_EQ(shop.replayed("public.t"), "");
  }
  // Waits until the partition that was made last has ended.
  static constexpr const char* kPast =
      "do $$ begin while clock_timestamp() < (select max(upto) from vestige.partitions()) loop "
      "perform pg_sleep(0.002); end loop; end $$";
};

TEST_F(PostgresNativePartitions, OneThatEndsInASavepoint) {
  for (const char* end : {"rollback to a", "release a"}) {
    SCOPED_TRACE(end);
    s.run("select part_for('200 ms'); begin; update t set v = v + 1 where id = 1; savepoint a");
    s.run(kPast);
    s.run("update t set v = v + 1 where id = 2; " + std::string(end) + "; commit");
    expect_right();
  }
  EXPECT_EQ(recorded(), "1:(,1) 1:(,2) 2:(,1)");
}

TEST_F(PostgresNativePartitions, OneMadeInASavepointThatIsRolledBack) {
  // Nothing written between, something written and read there, something waiting at the end.
  for (const char* between :
       {"select 1", "update t set v = v + 1 where id = 2",
        "update t set v = v + 1 where id = 2; select count(*) from vestige.change",
        "select count(*) from vestige.change; savepoint b; update t set v = v + 1 where id = 3; "
        "release b"}) {
    for (const char* after : {"commit", "update t set v = v + 1 where id = 4; commit",
                              "savepoint c; update t set v = v + 1 where id = 5; rollback to c; "
                              "commit",
                              "prepare transaction 'made'; commit prepared 'made'"}) {
      SCOPED_TRACE(std::string(between) + " / " + after);
      s.run("delete from vestige.note; begin; update t set v = v + 1 where id = 1; savepoint a");
      ASSERT_EQ(s.one("select part_for('1 hour')::text"), "true");
      s.run(std::string(between) + "; rollback to a; " + after);
      EXPECT_EQ(s.one("select count(*)::text from vestige.partitions()"), "0");
      expect_right();
    }
  }
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where key = '1' and op = 'U'"), "16");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where op = 'U'"), "20");
}

TEST_F(PostgresNativePartitions, OneDroppedAndOneDetachedInASavepointThatIsRolledBack) {
  ASSERT_EQ(s.one("select part_for('1 hour')::text"), "true");
  const std::string part = current_part();
  for (const std::string& gone :
       {"drop table " + part, "alter table vestige.change detach partition " + part}) {
    SCOPED_TRACE(gone);
    s.run("begin; update t set v = v + 1 where id = 1; savepoint a; " + gone +
          "; update t set v = v + 1 where id = 2; rollback to a; update t set v = v + 1 where id = "
          "3; commit");
    expect_right();
  }
  EXPECT_EQ(s.one("select count(*)::text from " + part), "4");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change_default where op = 'U'"), "0");
}

// Its columns stand in another order, one is gone, one is somebody's own: rows that were formed for another partition are
// written there.
TEST_F(PostgresNativePartitions, OnesOfAnotherLayout) {
  s.run(
      "alter table vestige.change add noted text; create table vestige.other (new_row text, "
      "old_row "
      "text, gone int, room smallint, noted text, new_key text, key text, op \"char\" not null, "
      "shape int not null, tracked int not null, key_hash bigint, context bigint not null, xid "
      "xid8 not null, at timestamptz not null, id bigint not null); alter table vestige.other drop "
      "gone");
  s.run("begin; update t set v = 1 where id <= 3; savepoint a");
  s.run(
      "do $$ begin execute format('alter table vestige.change attach partition vestige.other for "
      "values from (%L) to (%L)', clock_timestamp(), clock_timestamp() + interval '1 hour'); end "
      "$$");
  s.run(
      "update t set v = 2 where id <= 2; savepoint b; select count(*) from vestige.change; "
      "rollback "
      "to b; update t set v = 3 where id = 1; commit; update t set v = 4 where id = 1");
  EXPECT_EQ(recorded(), "1:(,1) 2:(,1) 3:(,1) 1:(,2) 2:(,2) 1:(,3) 1:(,4)");
  EXPECT_EQ(s.one("select string_agg(key || new_row, ' ' order by id) from vestige.other"),
            "1(,2) 2(,2) 1(,3) 1(,4)");
  expect_right();
}

// What reads a partition itself sees what waits for it, whichever was written to last.
TEST_F(PostgresNativePartitions, EachIsReadByItself) {
  ASSERT_EQ(s.one("select part_for('300 ms')::text"), "true");
  const std::string part = s.one("select relation::text from vestige.partitions()");
  s.run("begin; update t set v = 1 where id <= 3");
  s.run(kPast);
  s.run("update t set v = 1 where id between 4 and 5");
  EXPECT_EQ(s.one("select count(*)::text from only " + part), "3");
  s.run("rollback");
  ASSERT_EQ(s.one("select part_for('300 ms')::text"), "true");
  s.run("begin; update t set v = 1 where id <= 3");
  s.run(kPast);
  s.run("update t set v = 1 where id between 4 and 5");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change_default where op = 'U'"), "2");
  s.run("commit");
  expect_right();
}

// Random transactions, savepoints, and partitions of milliseconds at every step.
class Steps {
 public:
  Steps(PgSession& session, std::uint64_t number) : s_(session), dice_(number) {}

  void transaction() {
    open_ = 0;
    step("begin");
    for (std::size_t i = 2 + dice_.below(20); i > 0; --i) one();
    switch (dice_.below(8)) {
      case 0: step("rollback"); break;
      case 1: step("prepare transaction 'steps'; commit prepared 'steps'"); break;
      default: step("commit");
    }
  }
  std::string log;

 private:
  void step(const std::string& sql) {
    log += sql + ";\n";
    s_.run(sql);
  }
  std::string write() {
    const std::string id = std::to_string(1 + dice_.below(12));
    switch (dice_.below(4)) {
      case 0: return "delete from t where id = " + id;
      case 1: return "update t set v = v + 1 where id <= " + id;
      default:
        return "insert into t values (" + id + ", 1) on conflict (id) do update set v = t.v + 1";
    }
  }
  std::string part() {
    return "perform part_for('" + std::to_string(1 + dice_.below(40)) + " ms')";
  }
  void one() {
    switch (dice_.below(11)) {
      case 10:
        // More than wait together, or a message of many rows.
        if (dice_.chance(30))
          step(
              "do $$ begin for i in 1..60 loop update t set v = v + 1 where id <= 12; end loop; "
              "end $$");
        else step("copy t (id, v) from program 'true'");
        break;
      case 0: step("savepoint s" + std::to_string(++open_)); break;
      case 1:
        if (open_ == 0) break;
        open_ = 1 + static_cast<int>(dice_.below(static_cast<std::size_t>(open_)));
        step("rollback to s" + std::to_string(open_));
        break;
      case 2:
        if (open_ > 0) step("release s" + std::to_string(open_--));
        break;
      case 3: step("do $$ begin " + part() + "; end $$"); break;
      case 4: step("select pg_sleep(0.00" + std::to_string(1 + dice_.below(9)) + ")"); break;
      case 5: step("select count(*) from vestige.change"); break;
      case 6:
        step("do $$ begin " + write() + "; begin " + (dice_.chance(50) ? part() + "; " : "") +
             write() + "; " + (dice_.chance(50) ? "perform count(*) from vestige.change; " : "") +
             (dice_.chance(60) ? "raise 'x'; " : "") +
             "exception when raise_exception then null; end; " + write() + "; end $$");
        break;
      default: step(write());
    }
  }

  PgSession& s_;
  Dice dice_;
  int open_ = 0;
};

TEST_F(PostgresNativePartitions, RandomSteps) {
  EXPECT_TRUE(rc::check("every row is where its time belongs", [&] {
    const std::uint64_t number = drawn_seed();
    Steps play(s, number);
    play.transaction();
    std::string wrong;
    if (s.one("select misplaced()::text") != "0") wrong = "a row is out of its partition's bounds";
    if (s.one("select disordered()::text") != "0") wrong += " ids and times do not agree";
    wrong += shop.replayed("public.t");
    if (!wrong.empty())
      throw std::runtime_error("seed " + std::to_string(number) + ": " + wrong + "\n" + play.log);
  }));
  EXPECT_GT(std::stoi(s.one("select count(distinct tableoid)::text from vestige.change")), 1);
}

// A dump of partitions restores: each row passes its partition's bounds.
TEST_F(PostgresNativePartitions, ThroughDumpAndRestore) {
  Steps play(s, 16);
  for (int i = 0; i < 30; ++i) play.transaction();
  ScratchDatabase copy;
  const std::string said =
      shell("set -o pipefail; pg_dump '" + shop.database.url() +
            "' | psql -qX1 -o /dev/null -v ON_ERROR_STOP=1 '" + copy.url() + "'");
  if (said.find("server version mismatch") != std::string::npos) GTEST_SKIP() << said;
  ASSERT_EQ(said, "");
  PgSession restored(copy.url());
  EXPECT_EQ(restored.one("select count(*)::text from vestige.change"),
            s.one("select count(*)::text from vestige.change"));
}

}  // namespace
}  // namespace vestige
