// Every kind of table.
#include "test/postgres_capture.h"

namespace vestige {
namespace {

class PostgresCaptureTables : public testing::Test {
 protected:
  void replays(const std::string& table) { EXPECT_EQ(shop.replayed(table), ""); }
  std::string count(const std::string& where) {
    return s.one("select count(*)::text from vestige.change where " + where);
  }

  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresCaptureTables, WithoutAKeyRowsAreToldApartByWhatTheyHold) {
  s.run("create table logs (a int, b text); select vestige.track('logs')");
  s.run("insert into logs values (1, 'x'), (1, 'y'), (1, 'x'), (null, null), (2, 'x')");
  s.run(
      "update logs set a = 2 where b = 'y'; update logs set b = 'z' where a = 1; delete from logs "
      "where a is null");
  s.run("update logs set a = a + 1; delete from logs where ctid = (select min(ctid) from logs)");
  replays("public.logs");
}

TEST_F(PostgresCaptureTables, KeysThatSeveralRowsCanHave) {
  s.run(
      "create table t (id int primary key deferrable initially deferred, x text); select "
      "vestige.track('t')");
  s.run("insert into t values (1, 'a'), (2, 'a'), (3, 'c')");
  s.run("update t set id = 3 - id where id < 3");
  replays("public.t");
  s.run(
      "begin; update t set id = 2 where id = 1; update t set id = 1 where id = 2 and x = 'a' and "
      "ctid = (select min(ctid) from "
      "t where id = 2); update t set x = x || id; commit");
  replays("public.t");
  s.run(
      "create table named (code text, x int, y int); select vestige.track('named', key => "
      "'{code}')");
  s.run("insert into named values ('a', 1, 1), ('a', 2, 1), ('a', 1, 2), (null, 1, 1)");
  s.run(
      "update named set code = 'b' where x = 2; update named set y = 9 where y = 2; delete from "
      "named where y = 9");
  s.run(
      "update named set code = 'n' where code is null; update named set code = null where code = "
      "'b'");
  replays("public.named");
}

TEST_F(PostgresCaptureTables, ChainsOfKeysAndCompositeKeys) {
  s.run("create table t (b text, a int, v int, primary key (a, b)); select vestige.track('t')");
  s.run("insert into t select chr(96 + i % 3) || ',\"', i, 0 from generate_series(1, 9) i");
  s.run(
      "update t set a = a - 100; update t set b = b || ')' where a < -95; update t set v = 1; "
      "delete from t where a = -99");
  s.run(
      "begin; update t set a = 1, b = '' where a = -98; savepoint p; update t set a = 2 where a = "
      "1; rollback to p; commit");
  replays("public.t");
  EXPECT_EQ(count("key = '(1,\"\")'"), "0");
}

TEST_F(PostgresCaptureTables, Partitioned) {
  s.run(R"(
    create schema parts;
    create table m (id int, at date, note text, primary key (id, at)) partition by range (at);
    create table m1 partition of m for values from ('2024-01-01') to ('2024-02-01');
    create table parts.m2 (gone int, note text, at date not null, id int not null);
    alter table parts.m2 drop column gone;
    alter table m attach partition parts.m2 for values from ('2024-02-01') to ('2024-03-01');
    select vestige.track('m');
    insert into m select i, '2024-01-01'::date + i, 'n' || i from generate_series(1, 50) i;
    update m set at = at + 20 where id < 20;
    update m set note = note || '!';
    insert into m1 values (100, '2024-01-05', 'leaf');
    insert into parts.m2 (id, at, note) values (101, '2024-02-05', 'leaf');
    update parts.m2 set note = 'x' where id = 101; update parts.m2 set id = 102 where id = 101;
    delete from m1 where id = 100;)");
  replays("public.m");
  s.run(R"(
    create table m3 partition of m for values from ('2024-03-01') to ('2024-04-01') partition by hash (id);
    create table m3a partition of m3 for values with (modulus 2, remainder 0);
    create table m3b (note text, at date not null, id int not null);
    alter table m3 attach partition m3b for values with (modulus 2, remainder 1);
    insert into m select i, '2024-03-02', 'late' from generate_series(200, 220) i;
    insert into m3b select '(' , '2024-03-03', i from generate_series(300, 310) i where
      satisfies_hash_partition('m3'::regclass, 2, 1, i);
    update m set at = '2024-01-30' where id = 205;
    update m set id = id + 1000 where id > 206;)");
  replays("public.m");
  s.run("truncate m1");
  replays("public.m");
  s.run(
      "alter table m rename note to remark; alter table m add extra int default 5; update m set "
      "extra = id; "
      "insert into m values (7, '2024-02-03', 'r', 1)");
  s.run("select vestige.track('m'); truncate parts.m2; truncate m3");
  replays("public.m");
  s.run(
      "insert into m select i, '2024-01-01'::date + i, 'n' || i from generate_series(1, 50) i; "
      "truncate m");
  replays("public.m");
  EXPECT_EQ(count("op = 'T'"), "1");
}

TEST_F(PostgresCaptureTables, ATruncateOfPartitionsThatCameLater) {
  s.run(
      "create table m (id int primary key, v text) partition by range (id); select "
      "vestige.track('m', on_truncate => 'rows')");
  s.run(
      "create table m1 partition of m for values from (0) to (10); create table m2 partition of m "
      "default");
  s.run("insert into m select i, 'v' from generate_series(1, 20) i; truncate m");
  replays("public.m");
  s.run(
      "select vestige.track('m', on_truncate => 'mark'); insert into m select i, 'w' from "
      "generate_series(1, 20) i");
  s.run("truncate m1");
  replays("public.m");
  s.run("select vestige.track('m', on_truncate => 'deny')");
  EXPECT_EQ(s.error("truncate m2"),
            "run sql: vestige: TRUNCATE of public.m2 is refused by its policy");
  EXPECT_EQ(s.error("truncate m"),
            "run sql: vestige: TRUNCATE of public.m is refused by its policy");
}

TEST_F(PostgresCaptureTables, InheritanceIsFollowedDown) {
  s.run(
      "create table base (id int primary key, v text); create table child (extra int) inherits "
      "(base); "
      "create table grandchild () inherits (child); select vestige.track('base')");
  s.run(
      "insert into base values (1, 'a'); insert into child values (2, 'b', 5); insert into "
      "grandchild values (3, 'c', 6)");
  s.run("update base set v = v || '!'; delete from base where id = 2; update child set extra = 7");
  for (const char* table : {"public.base", "public.child", "public.grandchild"}) replays(table);
  s.run("insert into child values (9, 'z', 1); truncate base");
  for (const char* table : {"public.base", "public.child", "public.grandchild"}) replays(table);
  EXPECT_EQ(count("op = 'T'"), "3");
}

TEST_F(PostgresCaptureTables, GeneratedAndIdentityColumns) {
  s.run(
      "create table g (id int generated always as identity primary key, w int generated by default "
      "as identity, a int, "
      "twice int generated always as (a * 2) stored); select vestige.track('g')");
  s.run(
      "insert into g (a) values (1), (2); update g set a = 5 where id = 1; insert into g "
      "overriding system value values (77, 1, 3); "
      "update g set id = default where id = 77; delete from g where twice = 4");
  replays("public.g");
  EXPECT_EQ(s.one("select new_row from vestige.change where op = 'U' and key = '1'"), "(,,5,10)");
}

TEST_F(PostgresCaptureTables, UnloggedWideEmptyAndOddlyNamed) {
  s.run(
      "create unlogged table u (id int primary key, v int); select vestige.track('u'); insert into "
      "u values (1, 1); update u set v = 2");
  replays("public.u");
  std::string columns, values;
  for (int i = 0; i < 1599; ++i) {
    columns += ", c" + std::to_string(i) + " smallint";
    values += ", " + (i % 7 == 0 ? std::string("null") : std::to_string(i));
  }
  s.run("create table wide (id int primary key" + columns + "); select vestige.track('wide')");
  s.run("insert into wide values (1" + values +
        "); update wide set c0 = 5, c1598 = null; delete from wide; insert into wide (id) values "
        "(3)");
  replays("public.wide");
  s.run(
      "create table nothing (); select vestige.track('nothing'); insert into nothing default "
      "values; delete from nothing");
  replays("public.nothing");
  const std::string schema = R"("Schema ""q"" 'x' %s $1")";
  const std::string table = schema + R"(."select % ''; drop ünïcode 日本語")";
  s.run(
      "create schema " + schema + "; create table " + table +
      R"(("primary" int primary key, "OLD" int, new int, "NEW" int, old int, "a.b" int, "%s" text, "%1$s" text, "'" text,
            """" text, "number" int, context text, xid int, op text, wanted int, key_hash int, old_key text, given text, tg_op text,
            "größe_sehr_lang_und_noch_länger_bis_sie_63_bytes_erreicht_hat" text, "ROW" int, "$source$" text, "\" text, " " text))");
  s.run("select vestige.track($t$" + table + "$t$)");
  s.run("insert into " + table +
        R"( ("primary", "OLD", new, "'", "%s", number, given) values (1, 2, 3, '4', '5', 6, '7'))");
  s.run("update " + table +
        R"( set old = 8, "NEW" = 9, """" = 'q', "$source$" = '$', tg_op = 'x', "primary" = 2)");
  s.run("update " + table + R"( set "\" = '\', " " = ' ', "ROW" = 1, context = 'c', xid = 5)");
  replays(table);
  s.run("truncate " + table);
  replays(table);
}

TEST_F(PostgresCaptureTables, ColumnsThatAreNamedAsCaptureNamesThings) {
  s.run(
      "create table v (number int primary key, context text, tx text, op text, old_key text, "
      "new_row text, nested int, live text, inserted text, one text, required text);"
      "select vestige.track('v'); insert into v select i, 'c', 't', 'o', 'k', 'r', i, 'l', 'n', "
      "'e', 'q' from generate_series(1, 3) i; begin; update v set tx = 'T', nested = null where "
      "number < 3; insert into v (number, tx) values (4, 'u'), (5, 'v'); commit; update v set "
      "number = 6 where number = 1; delete from v where number = 2");
  replays("public.v");
  s.run(
      "select vestige.track('v', \"when\" => 'exists (select from generate_series(1, 3) as "
      "g(number) where number = NEW.number)'); update v set op = 'x'");
  EXPECT_EQ(s.one("select string_agg(key, ' ') from vestige.change where id > (select max(id) from "
                  "vestige.change where op = 'D')"),
            "3");
}

TEST_F(PostgresCaptureTables, WhatCannotBeTracked) {
  s.run(
      "create temp table tt (id int); create view v as select 1 as a; create sequence sq; create "
      "materialized view mv as select 1 as a");
  s.run(
      "create table p (id int) partition by hash (id); create table p0 partition of p for values "
      "with (modulus 1, remainder 0)");
  EXPECT_EQ(s.error("select vestige.track('tt')"), "run sql: track tt: it is a temporary table");
  for (const char* name : {"v", "sq", "mv"})
    EXPECT_EQ(s.error(std::string("select vestige.track('") + name + "')"),
              std::string("run sql: track public.") + name + ": it is no table");
  EXPECT_EQ(s.error("select vestige.track('p0')"), "run sql: track public.p0: it is a partition");
  EXPECT_EQ(s.error("select vestige.track('vestige.meta')"),
            "run sql: track vestige.meta: it is not an application's table");
  EXPECT_EQ(s.error("select vestige.track('pg_class')"),
            "run sql: track pg_class: it is not an application's table");
}

TEST_F(PostgresCaptureTables, RowLevelSecurityOfTheApplication) {
  const std::string owner = shop.role("owner"), clerk = shop.role("clerk");
  s.run(
      "create table acc (id int primary key, who name default session_user, v int); alter table "
      "acc owner to " +
      owner +
      "; alter table acc enable row level security; create policy own on acc using (who = "
      "session_user); "
      "select vestige.track('acc'); grant all on acc to " +
      clerk);
  s.run("insert into acc values (1, 'other', 5)");
  PgSession c = shop.connect(clerk);
  c.run(
      "insert into acc (id, v) values (2, 6), (3, 7); update acc set v = v + 1; delete from acc "
      "where id = 3");
  replays("public.acc");
  EXPECT_EQ(count("op = 'U'"), "2");
  c.run("truncate acc");
  replays("public.acc");
}

}  // namespace
}  // namespace vestige
