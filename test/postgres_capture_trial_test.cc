// What captures a table is run once before it stands: a fault of ours is refused by track, not by the application's writes.
#include "test/postgres_capture.h"

namespace vestige {
namespace {

class PostgresCaptureTrial : public testing::Test {
 protected:
  // As if names were quoted only where SQL needs it: PL/pgSQL reserves more.
  void quote_too_little() {
    s.run(
        "create or replace function vestige.quoted(name text) returns text language sql immutable "
        "set search_path = pg_catalog, pg_temp as $$ select quote_ident(name) $$");
  }
  std::string left() {
    return s.one(
        "select (select count(*) from vestige.tracked) || ' ' || (select count(*) from "
        "vestige.change) || ' ' || (select is_called::text from vestige.change_id) || ' ' || "
        "(select count(*) from pg_class where relname like 'trial%') || ' ' || (select "
        "count(*) from pg_proc where proname like 'trial%')");
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresCaptureTrial, TrackRefusesWhatDoesNotRun) {
  s.run(
      "create table t (id int primary key, \"begin\" text); create table filled (id int primary "
      "key, \"loop\" text); insert into filled values (1, 'a')");
  quote_too_little();
  EXPECT_EQ(
      s.error("select vestige.track('t')"),
      "run sql: track public.t: what would capture it does not run: record \"new\" has no field "
      "\"begin\"");
  EXPECT_NE(s.error("select vestige.track('filled', \"when\" => 'true')"), "");
  EXPECT_EQ(left(), "0 0 false 0 0");
  EXPECT_EQ(s.error("insert into t values (1, 'a'); update t set \"begin\" = 'b'; delete from t"),
            "");
  s.run("select vestige.track('t', exclude => '{begin}'); update t set \"begin\" = 'b'");
}

// What fails for other reasons than ours is no reason to refuse.
TEST_F(PostgresCaptureTrial, WhatElseMayFailDoesNotCount) {
  s.run(
      "create domain must as int not null; create table a (id int primary key, v must); create "
      "table b (); create table c (id int generated always as identity primary key, v int "
      "generated always as (1) stored); create table d (id int, v text) partition by list (id); "
      "create table e (id int primary key, v text check (v = 'x')); insert into e values (1, 'x'); "
      "create function never() returns trigger language plpgsql as 'begin raise exception ''no''; "
      "end'; create trigger never before insert or update or delete on e for each row execute "
      "function never()");
  for (const std::string table : {"a", "b", "c", "d", "e"})
    EXPECT_EQ(s.error("select vestige.track('" + table + "')"), "") << table;
  EXPECT_EQ(left(), "5 0 false 0 0");
  s.run(
      "create function no_tables() returns event_trigger language plpgsql as 'begin raise "
      "exception "
      "''no tables''; end'; create event trigger no_tables on ddl_command_start when tag in "
      "('CREATE "
      "TABLE AS') execute function no_tables(); create table f (id int primary key)");
  EXPECT_EQ(s.error("select vestige.track('f')"), "");
}

}  // namespace
}  // namespace vestige
