// Changes of the native engine wait and are written together: nobody can tell (docs/decisions/0008). Every way to read
// them within the transaction, subtransactions that end either way, errors while they are written.
#include <gtest/gtest.h>

#include <thread>

#include "test/postgres_native.h"

namespace vestige {
namespace {

class PostgresNativeWaiting : public NativeTable {
 protected:
  void SetUp() override {
    NativeTable::SetUp();
    if (IsSkipped()) return;
    s.run(
        "create function planned(query text) returns setof text language plpgsql as "
        "'begin return query execute ''explain '' || query; end'; create function written() "
        "returns bigint language sql as 'select count(*) "
        "from vestige.change'; create function written_stable() returns bigint stable language "
        "plpgsql as 'begin return (select count(*) from vestige.change); end'");
  }
  // Bytes that the session keeps of changes that wait.
  long long kept() { return context_bytes(s, "vestige waiting"); }
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
  const std::string part = current_part();
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
  EXPECT_EQ(s.one("select count(*)::text from t where id <= 200 and asked(id) = 5"), "200");
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
  const std::string part = current_part();
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

TEST_F(PostgresNativeWaiting, APartitionThatEndsMeanwhile) {
  s.run(
      "create table bound as select clock_timestamp() + interval '2 s' as at; do $$ declare p "
      "regclass; begin for p in select relation from vestige.partitions() loop execute "
      "format('drop table %s', p); "
      "end loop; execute format('create table vestige.change_now partition of vestige.change for "
      "values from (%L) to (%L)', "
      "clock_timestamp() - interval '1 day', (select at from bound)); end $$");
  s.run(
      "begin; update t set v = 1 where id <= 3; select pg_sleep(extract(epoch from at - "
      "clock_timestamp())) from bound; update t set "
      "v = 1 where id between 4 and 7; commit");
  EXPECT_EQ(s.one("select string_agg(key, ' ' order by id) from vestige.change_now"), "1 2 3");
  EXPECT_EQ(s.one("select string_agg(key, ' ' order by id) from vestige.change_default"),
            "4 5 6 7");
}

TEST_F(PostgresNativeWaiting, AnIndexThatOthersMakeMeanwhile) {
  const std::string part = current_part();
  s.run("begin; update t set v = 1 where id <= 3");
  // One that only the portable engine fills. It waits for this transaction before it looks at the rows.
  std::thread maker([&] {
    shop.connect().run("create index concurrently lowered on " + part + " ((lower(key)))");
  });
  PgSession watcher = shop.connect();
  while (watcher.one("select count(*)::text from pg_locks where not granted") == "0")
    watcher.run("select pg_sleep(0.01)");
  s.run(
      "update t set v = 2 where id <= 4; select count(*) from vestige.change; update t set v = 3 "
      "where id <= 2; commit");
  maker.join();
  s.run("set enable_seqscan = off");
  EXPECT_EQ(
      s.one("select count(*)::text from vestige.change where lower(key) in ('1', '2', '3', '4')"),
      "9");
  EXPECT_EQ(
      s.one("select string_agg(new_row, ' ' order by id) from vestige.change where key = '1'"),
      "(,1) (,2) (,3)");
}

TEST_F(PostgresNativeWaiting, IndexesThatOthersMoveMeanwhile) {
  if (std::stoi(s.one("show server_version_num")) < 150000)
    GTEST_SKIP() << "no tablespace without a folder of its own";
  PgSession other = shop.connect();
  const std::string space = shop.database.name() + "_space";
  other.run("set lock_timeout = '5s'; set allow_in_place_tablespaces = on; create tablespace " +
            space + " location ''");
  const auto move = [&](const std::string& to) {
    other.run(
        "do $$ declare i regclass; begin for i in select indexrelid from pg_index where indrelid "
        "in (select relid from "
        "pg_partition_tree('vestige.change') where isleaf) loop execute format('alter index %s set "
        "tablespace " +
        to + "', i); end loop; end $$");
  };
  s.run(
      "update t set v = 1 where id <= 100; commit; begin; update t set v = 2 where id <= 100; "
      "update t set v = 3 where id = 1");
  move(space);
  s.run(
      "update t set v = 4 where id <= 2; commit; update t set v = 5 where id = 1; set "
      "enable_seqscan = off");
  EXPECT_EQ(s.one("select string_agg(new_row, ' ' order by id) from vestige.change where key_hash "
                  "= hashtextextended('1', 1)"),
            "(,1) (,2) (,3) (,4) (,5)");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where id > 0"), "204");
  move("pg_default");
  s.run("update t set v = 6 where id = 1");
  EXPECT_EQ(
      s.one("select count(*)::text from vestige.change where key_hash = hashtextextended('1', 1)"),
      "6");
  other.run("drop tablespace " + space);
}

TEST_F(PostgresNativeWaiting, AlterationsOfTheTrailThatAreRolledBack) {
  const std::string part = current_part();
  int rows = 0;
  const std::vector<std::string> alterations = {"create index gone on " + part + " (op)",
                                                "alter table " + part + " add check (tracked > 0)",
                                                "alter table vestige.change add noted text",
                                                "create index gone on " + part + " ((lower(key)))",
                                                "drop table " + part,
                                                "drop schema vestige cascade"};
  for (const std::string& alteration : alterations) {
    s.run(
        "begin; update t set v = v + 1 where id <= 3; savepoint a; update t set v = v + 1 where id "
        "<= 2; " +
        alteration);
    if (alteration.find("drop") == std::string::npos)
      s.run("update t set v = v + 1 where id <= 4; select written()");
    s.run(
        "rollback to a; update t set v = v + 1 where id = 1; commit; update t set v = v + 1 where "
        "id = 2");
    rows += 5;
    EXPECT_EQ(s.one("select written()::text"), std::to_string(rows)) << alteration;
  }
  s.run("set enable_seqscan = off");
  EXPECT_EQ(
      s.one("select count(*)::text from vestige.change where key_hash = hashtextextended('1', 1)"),
      "12");
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

}  // namespace
}  // namespace vestige
