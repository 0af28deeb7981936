// Changes of the native engine wait and are written together: nobody can tell. Every way to read them within the
// transaction, subtransactions that end either way, errors while they are written, and ids that are taken some at once.
// VESTIGE_SEED=… plays a random transaction again.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <thread>

#include "test/capture_random.h"
#include "test/postgres_native.h"

namespace vestige {
namespace {

class PostgresNativeWaiting : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!NativeTwins::there(shop)) GTEST_SKIP() << "the server has no native engine";
    s.run(
        "create table t (id int primary key, v int not null); insert into t select i, 0 from "
        "generate_series(1, 1000) i; select vestige.track('t'); select vestige.set_engine('t', "
        "'native'); create function planned(query text) returns setof text language plpgsql as "
        "'begin return query execute ''explain '' || query; end'; create function written() "
        "returns bigint language sql as 'select count(*) "
        "from vestige.change'; create function written_stable() returns bigint stable language "
        "plpgsql as 'begin return (select count(*) from vestige.change); end'");
  }
  // Bytes that the session keeps of changes that wait.
  long long kept() {
    const std::string bytes = s.one(
        "select coalesce(sum(total_bytes), 0)::text from pg_backend_memory_contexts where name = "
        "'vestige waiting'");
    return std::stoll(bytes);
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresNativeWaiting, EveryWayToReadSeesThem) {
  s.run(
      "create table seen (way text, n bigint); prepare asked as select count(*) from "
      "vestige.change");
  const std::string parts = s.one("select count(*)::text from vestige.partitions()");
  EXPECT_NE(parts, "0");
  int changes = 0;
  for (const char* way :
       {"select count(*)::text from vestige.change", "select count(*)::text from vestige.audit_log",
        "select written()::text", "select written_stable()::text",
        "select (select written())::text from generate_series(1, 1)",
        "with x as (select count(*) as n from vestige.changes) select n::text from x",

        "select max(n)::text from (table vestige.change union all table "
        "vestige.change) c, lateral (select written() as n) x"}) {
    s.run("begin; update t set v = v + 1 where id = 1; update t set v = v + 1 where id = 2");
    changes += 2;
    EXPECT_EQ(s.one(way), std::to_string(changes)) << way;
    s.run("commit");
  }
  for (const char* way :
       {"insert into seen select '', count(*) from vestige.change",
        "do $$ declare n bigint; begin execute 'execute asked' into n; insert into seen values "
        "('', n); end $$",
        "create table made as select count(*) as n from vestige.change; insert into seen select "
        "'', n from made; drop "
        "table made",
        "do $$ begin insert into seen values ('', written()); end $$",
        "create procedure p() language plpgsql as 'begin insert into seen values ('''', "
        "written()); end'; call p(); drop procedure p()",
        "declare c cursor for select count(*) from vestige.change; create temp table got (n "
        "bigint); do $$ declare r refcursor := 'c'; n bigint; begin fetch r into n; insert into "
        "seen values "
        "('', n); end $$; drop table got",
        "create materialized view m as select count(*) as n from vestige.change; insert into seen "
        "select '', n "
        "from m; drop materialized view m"}) {
    s.run("begin; update t set v = v + 1 where id between 1 and 3; " + std::string(way) +
          "; commit");
    changes += 3;
    EXPECT_EQ(s.one("select n::text from seen"), std::to_string(changes)) << way;
    s.run("delete from seen");
  }
}

TEST_F(PostgresNativeWaiting, CommandsThatAreNoQueries) {
  // COPY of a partition and an index on it read the heap without a query.
  const std::string part = s.one(
      "select relation::text from vestige.partitions() where clock_timestamp() >= from_at and "
      "clock_timestamp() < upto");
  s.run("begin; update t set v = 1 where id <= 10; copy " + part +
        " to program 'wc -l >copied'; commit");
  EXPECT_EQ(s.one("select rtrim(pg_read_file('copied'), E'\\n')"), "10");
  s.run("begin; update t set v = 2 where id <= 10; create index own on " + part +
        " (op); commit; set enable_seqscan = off");
  const std::string query = "select count(*) from vestige.change where op = 'U'";
  EXPECT_NE(s.one("select string_agg(l, ' ') from (select * from planned($$" + query + "$$)) x(l)")
                .find("own"),
            std::string::npos);
  EXPECT_EQ(s.one("select (" + query + ")::text"), "20");
  s.run("begin; update t set v = 3 where id <= 10; truncate t; commit");
  EXPECT_EQ(s.one("select (max(id) filter (where op = 'U') < min(id) filter (where op = "
                  "'D'))::text || count(*) from "
                  "vestige.change where xid = (select max(xid::text)::xid8 from vestige.change)"),
            "true1011");
}

TEST_F(PostgresNativeWaiting, ACursorSeesWhatWasThereWhenItWasOpened) {
  s.run(
      "begin; update t set v = 1 where id <= 3; declare before cursor for select count(*)::text "
      "from vestige.change; "
      "update t set v = 2 where id <= 4; declare stable cursor for select written_stable()::text "
      "from "
      "generate_series(1, 2)");
  s.run(
      "declare after cursor for select count(*)::text from vestige.change; update t set v = 3 "
      "where id = 1");
  EXPECT_EQ(s.one("fetch stable"), "7");
  EXPECT_EQ(s.one("fetch after"), "7");
  EXPECT_EQ(s.one("fetch before"), "3");
  EXPECT_EQ(s.one("fetch stable"), "7");
  EXPECT_EQ(s.one("select written()::text"), "8");
  // Of two commands whose changes wait together, one that opened between them sees the first.
  s.run(
      "update t set v = 4 where id <= 2; declare middle cursor for select written_stable()::text "
      "from generate_series(1, 2); "
      "update t set v = 5 where id <= 3");
  EXPECT_EQ(s.one("fetch middle"), "10");
  EXPECT_EQ(s.one("select written()::text"), "13");
  EXPECT_EQ(s.one("fetch middle"), "10");
  s.run("commit");
}

TEST_F(PostgresNativeWaiting, ProcessesThatHelpAQueryDoNotKnowThem) {
  s.run(
      "alter function written() parallel safe; create function asked(int) returns bigint parallel "
      "safe language plpgsql as 'begin return (select written()); end'");
  s.run("set " +
        std::string(std::stoi(s.one("show server_version_num")) >= 160000 ? "debug_parallel_query"
                                                                          : "force_parallel_mode") +
        " = on; set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set "
        "min_parallel_table_scan_size = 0; set "
        "max_parallel_workers_per_gather = 2; set parallel_leader_participation = off");
  s.run("begin; update t set v = 1 where id <= 5");
  EXPECT_EQ(s.one("select string_agg(distinct asked(id)::text, ' ') from t where id <= 200"), "5");
  s.run("commit");
}

TEST_F(PostgresNativeWaiting, SubtransactionsTakeTheirOwnWithThem) {
  s.run(
      "begin; update t set v = 1 where id = 1; savepoint a; update t set v = 1 where id = 2; "
      "savepoint b; update t "
      "set v = 1 where id = 3");
  EXPECT_EQ(s.one("select written()::text"), "3");
  s.run("rollback to b");
  EXPECT_EQ(s.one("select written()::text"), "2");
  s.run("update t set v = 1 where id = 4; rollback to a");
  EXPECT_EQ(s.one("select written()::text"), "1");
  s.run(
      "rollback to a; update t set v = 1 where id = 5; release a; savepoint a; update t set v = 1 "
      "where id = 6");
  EXPECT_EQ(s.one("select written()::text"), "3");
  s.run("savepoint b; rollback to a; commit");
  EXPECT_EQ(s.one("select string_agg(key, ' ' order by id) from vestige.change"), "1 5");
  EXPECT_EQ(shop.replayed("public.t").substr(0, 8), "forward:")
      << "rows before tracking have no change";
}

TEST_F(PostgresNativeWaiting, WhatWaitsIsBoundedInBytes) {
  s.run(
      "insert into t select i, 0 from generate_series(1001, 100000) i; begin; update t set v = 1");
  EXPECT_LT(kept(), 500'000);
  for (int i = 0; i < 30; ++i)
    s.run(
        "savepoint a; update t set v = v + 1 where id <= 3000; select written(); release a; update "
        "t set v = v + 1 "
        "where id = 1");
  EXPECT_LT(kept(), 500'000);
  s.run(
      "savepoint a; update t set v = v + 1; savepoint b; update t set v = v + 1 where id <= 20000");
  EXPECT_LT(kept(), 500'000);
  s.run("rollback to b; rollback to a; commit");
  EXPECT_EQ(s.one("select written()::text"), std::to_string(99'000 + 100'000 + 30 * 3001));
  // A text of megabytes does not wait.
  s.run(
      "create table w (id int, v text); select vestige.track('w'); select vestige.set_engine('w', "
      "'native'); begin; insert "
      "into w values (1, repeat('x', 20000000))");
  EXPECT_LT(kept(), 500'000);
  s.run("commit");
  EXPECT_EQ(s.one("select length(new_row)::text from vestige.change where op = 'I' order by id "
                  "desc limit 1"),
            "20000004");
}

TEST_F(PostgresNativeWaiting, ErrorsWhileTheyAreWritten) {
  s.run("create unique index once on vestige.change_default (tracked, key)");
  const std::string part = s.one(
      "select relation::text from vestige.partitions() where clock_timestamp() >= from_at and "
      "clock_timestamp() < upto");
  s.run("create unique index once_now on " + part + " (tracked, key)");
  s.run("update t set v = 1 where id = 1");
  // At the end of a transaction: nothing of it stands.
  EXPECT_NE(s.error("begin; update t set v = 2 where id in (1, 2); commit").find("duplicate key"),
            std::string::npos);
  s.run("rollback");
  EXPECT_EQ(s.one("select string_agg(v::text, ' ' order by id) from t where id <= 2"), "1 0");
  // In a subtransaction: what came before it still waits, and is written with the transaction.
  s.run("begin; update t set v = 3 where id = 3; savepoint a; update t set v = 3 where id = 1");
  EXPECT_NE(s.error("select written()").find("duplicate key"), std::string::npos);
  s.run("rollback to a; update t set v = 3 where id = 4");
  EXPECT_EQ(s.one("select written()::text"), "3");
  s.run(
      "savepoint b; update t set v = 3 where id = 5; select written(); rollback to b; update t set "
      "v = 3 where id = 6; "
      "commit");
  EXPECT_EQ(s.one("select string_agg(key, ' ' order by id) from vestige.change"), "1 3 4 6");
  EXPECT_EQ(s.one("select string_agg(id::text, ' ' order by id) from t where v > 0"), "1 3 4 6");
  // Thousands of them take no more memory than one.
  s.run(
      "begin; update t set v = 4 where id = 7; do $$ begin for i in 1..5000 loop begin update t "
      "set v = i + 1000 where id = 1; perform written(); "
      "raise 'it was written'; exception when unique_violation then null; end; end loop; end $$");
  EXPECT_LT(kept(), 100'000);
  s.run("commit");
  EXPECT_EQ(s.one("select string_agg(key, ' ' order by id) from vestige.change"), "1 3 4 6 7");
}

TEST_F(PostgresNativeWaiting, ProceduresThatCommit) {
  s.run(
      "create procedure work() language plpgsql as 'begin for i in 1..20 loop update t set v = i "
      "where id <= 3; if i % 3 = 0 then "
      "rollback; else commit; end if; update t set v = -i where id = 4; end loop; end'; call "
      "work()");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where key <> '4'"),
            std::to_string(14 * 3));
  // Each but the last ends with the next round; of those, every third is rolled back.
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where key = '4'"),
            std::to_string(20 - 6));
  s.run(
      "begin; update t set v = 100 where id = 1; commit and chain; update t set v = 101 where id = "
      "1; rollback and chain; update "
      "t set v = 102 where id = 1; commit");
  EXPECT_EQ(s.one("select string_agg(new_row, '' order by id) from vestige.change where id > "
                  "(select max(id) - 2 from "
                  "vestige.change) and key = '1'"),
            "(,102)");
  EXPECT_EQ(
      s.one("select count(*)::text from vestige.change where new_row in ('(,100)', '(,101)')"),
      "1");
}

TEST_F(PostgresNativeWaiting, ATriggerAtCommitSeesThem) {
  s.run(
      "create table noted (n bigint); create function note() returns trigger language plpgsql as "
      "'begin insert into "
      "noted values (written()); return null; end'; create constraint trigger late after update on "
      "t deferrable initially "
      "deferred for each row execute function note()");
  s.run("begin; update t set v = 1 where id <= 3; update t set v = 1 where id = 4; commit");
  EXPECT_EQ(s.one("select string_agg(n::text, ' ') from noted"), "4 4 4 4");
}

// What a session does at random to each of the twins.
class Transactions {
 public:
  Transactions(NativeTwins& twins, std::uint64_t number) : twins_(twins), dice_(number) {}

  // The tables are empty then; what is counted are changes after that one.
  void begin(std::string before) {
    before_ = std::move(before);
    step("delete from $; delete from seen_$");
  }
  void transaction() {
    step("begin");
    open_ = 0;
    const std::size_t length = 2 + dice_.below(25);
    for (std::size_t i = 0; i < length; ++i) one();
    const std::string name = "'$_" + std::to_string(dice_.bits()) + "'";
    switch (dice_.below(8)) {
      case 0: step("rollback"); break;
      case 1: step("prepare transaction " + name + "; commit prepared " + name); break;
      default: step("commit");
    }
  }
  void end() { step("insert into $ values (1000, 1)"); }

  std::string log;

 private:
  void step(const std::string& sql) {
    log += sql + ";\n";
    (void)twins_.both(sql);
  }
  std::string write() {
    const std::string id = std::to_string(dice_.below(12));
    const std::string v = std::to_string(dice_.below(100));
    switch (dice_.below(6)) {
      case 0:
        return "insert into $ select i, " + v + " from generate_series(" + id +
               ", 12) i on conflict do nothing";
      case 1: return "delete from $ where id = " + id;
      case 2:
        return "update $ set id = id + 100 where id = " + id +
               " and not exists (select from $ where id = " + id + " + 100)";
      case 3: return "update $ set v = v + 1 where id >= " + id;
      default:
        return "insert into $ values (" + id + ", " + v +
               ") on conflict (id) do update set v = excluded.v";
    }
  }
  // Counts what was recorded of this table.
  std::string read() const {
    return "insert into seen_$ select count(*) from vestige.change c where c.id > " + before_ +
           " and c.tracked = (select id from vestige.tracked where table_name = '$')";
  }
  void one() {
    switch (dice_.below(9)) {
      case 0: step("savepoint s" + std::to_string(++open_)); break;
      case 1:
        if (open_ > 0)
          step("rollback to s" + std::to_string(1 + dice_.below(static_cast<std::size_t>(open_))));
        break;
      case 2:
        if (open_ > 0) step("release s" + std::to_string(open_--));
        break;
      case 3: step(read()); break;
      case 4:
        step("select set_config('vestige.context', '{\"n\":" + std::to_string(dice_.below(3)) +
             "}', true)");
        break;
      case 5:
        step("do $do$ begin " + write() + "; " + (dice_.chance(50) ? read() + "; " : "") +
             "begin " + write() + "; " + (dice_.chance(50) ? read() + "; " : "") +
             (dice_.chance(50) ? "raise 'x'; " : "") +
             "exception when raise_exception then null; end; " +
             (dice_.chance(50) ? read() + "; " : "") + write() + "; end $do$");
        break;
      default: step(write());
    }
  }

  NativeTwins& twins_;
  Dice dice_;
  std::string before_;
  int open_ = 0;
};

TEST_F(PostgresNativeWaiting, RandomTransactions) {
  PgShop own;
  ASSERT_TRUE(NativeTwins::there(own));
  NativeTwins twins(own);
  twins.make("create table $ (id int primary key, v int); create table seen_$ (n bigint)");
  EXPECT_TRUE(rc::check("nobody can tell that changes waited", [&] {
    const std::uint64_t number = drawn_seed();
    const std::string before = own.admin.one("select last_value::text from vestige.change_id");
    Transactions play(twins, number);
    play.begin(before);
    for (int i = 0; i < 10; ++i) play.transaction();
    play.end();
    std::string wrong = twins.difference(before);
    const std::string seen = "select coalesce(string_agg(n::text, ' '), '') from seen_";
    const std::string p = own.admin.one(seen + "p");
    const std::string n = own.admin.one(seen + "n");
    if (p != n) wrong += "p saw " + p + "\nn saw " + n;
    if (!wrong.empty())
      throw std::runtime_error("seed " + std::to_string(number) + ": " + wrong + "\n" + play.log);
  }));
}

TEST_F(PostgresNativeWaiting, TheIdsOfARowRiseWhoeverWrites) {
  // Many change many rows at once; a row's changes by id must lead from one value to the next.
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w)
    writers.emplace_back([&, w] {
      PgSession own = shop.connect();
      Dice dice(static_cast<std::uint64_t>(w));
      for (int i = 0; i < 60; ++i) {
        const std::size_t from = dice.below(900);
        own.run("begin; update t set v = v + 1 where id in (select id from t where id between " +
                std::to_string(from) + " and " + std::to_string(from + 100) +
                " order by id for update); update t set v = v + 1 where id = " +
                std::to_string(from + 50) + (dice.chance(20) ? "; rollback" : "; commit"));
      }
    });
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(s.one("select count(*)::text from (select old_row, lag(new_row) over (partition by key "
                  "order by id) as before from "
                  "vestige.change) c where before <> old_row"),
            "0");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change c where op = 'U'"),
            s.one("select sum(v)::text from t"));
  EXPECT_EQ(s.one("select (count(*) = count(distinct id))::text from vestige.change"), "true");
}

TEST_F(PostgresNativeWaiting, IdsOfOneCommandAreTakenTogether) {
  s.run("update t set v = 1 where id <= 200");
  EXPECT_EQ(s.one("select max(id)::text from vestige.change"), "200");
  EXPECT_EQ(s.one("select last_value::text from vestige.change_id"), "255")
      << "1, 2, 4, … 64 at once, and 64 again";
  // What is left over is nobody's.
  s.run("update t set v = 2 where id <= 2");
  EXPECT_EQ(s.one("select max(id)::text from vestige.change"), "257");
  // A sequence that somebody altered is left to the server.
  s.run("alter sequence vestige.change_id increment by 10; update t set v = 3 where id <= 3");
  EXPECT_EQ(
      s.one("select string_agg(id::text, ' ' order by id) from vestige.change where id > 257"),
      "268 278 288");
  s.run(
      "alter sequence vestige.change_id increment by 1 maxvalue 300; update t set v = 4 where id "
      "<= 5");
  EXPECT_NE(s.error("update t set v = 5 where id <= 100").find("reached maximum value"),
            std::string::npos);
  s.run("alter sequence vestige.change_id no maxvalue; update t set v = 6 where id <= 5");
  EXPECT_EQ(s.one("select (count(*) = count(distinct id))::text from vestige.change"), "true");
}

}  // namespace
}  // namespace vestige
