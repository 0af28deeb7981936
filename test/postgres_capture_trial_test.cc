// What captures a table is run once before it stands: a fault of ours is refused by track, not by the application's writes. Of a
// table that stands doctor says it.
#include "test/postgres_capture.h"
#include "vestige/audit/doctor.h"
#include "vestige/base/file.h"

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
  // The tables of which doctor says that the next write will fail, and why.
  std::string failing(PgSession& who) {
    std::string said;
    const auto findings = doctor(who.db(), false);
    if (!findings.has_value()) return findings.error().message;
    for (const Finding& one : *findings)
      if (one.code == "capture-fails") said += one.table + ": " + one.message + "\n";
    return said;
  }
  static std::string fails(const std::string& table, const std::string& why) {
    return table +
           ": what captures its changes does not run, and the next write of it will fail: " + why +
           "\n";
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

TEST_F(PostgresCaptureTrial, DoctorNamesWhatWouldFailAtTheNextWrite) {
  s.run(
      "create table t (id int primary key, price int); create table u (id int primary key); create "
      "table p (id int primary key, v text) partition by range (id); create table p1 partition of "
      "p "
      "for values from (0) to (9); select vestige.track('t', \"when\" => 'new.price > 0'), "
      "vestige.track('u', require => '{actor}'), vestige.track('p'); insert into t values (1, 1)");
  const std::string reader = shop.role("reader");
  s.run("grant vestige_reader to " + reader);
  PgSession looks = shop.connect(reader);
  EXPECT_EQ(failing(s), "");
  quote_too_little();
  EXPECT_EQ(failing(s), "");
  s.run(
      "alter table p rename v to \"loop\"; alter table t alter price type text, add \"begin\" "
      "text");
  const std::string wrong = fails("p", "record \"new\" has no field \"loop\"") +
                            fails("t", "record \"new\" has no field \"begin\"");
  EXPECT_EQ(failing(s), wrong);
  EXPECT_EQ(failing(looks), wrong);
  EXPECT_NE(s.error("update t set price = '2'"), "");
  // The native engine asks the function that was tried for rare ways only.
  s.run("begin");
  EXPECT_EQ(s.error("insert into p values (1, 'a')") == "", native_engine());
  s.run("rollback");
  // Nothing is left of the trial: no change, no lock.
  EXPECT_EQ(s.one("select count(*)::text from vestige.change"), "1");
  s.run("begin; select from vestige.doctor()");
  EXPECT_EQ(s.one("select count(*)::text from pg_locks where relation in ('t'::regclass, "
                  "'u'::regclass) and pid = pg_backend_pid()"),
            "0");
  s.run("rollback");
}

// A data key is written down by the trial, too, and cannot be where nothing can.
TEST_F(PostgresCaptureTrial, DoctorTakesAReadOnlySessionForNoFault) {
  s.run(file_bytes(SOURCE_DIR "/test/encrypted.sql").value());
  s.run(
      "create table e (id int primary key, v text, w text); create table f (like e including all);"
      " select vestige.track('e', encrypt => '{\"v\": \"phi\"}'), vestige.track('f', encrypt =>"
      " '{\"v\": \"phi\"}', subject => 'id')");
  s.run("set default_transaction_read_only = on");
  EXPECT_EQ(failing(s), "");
  // What does not run without a write is found all the same.
  s.run("set default_transaction_read_only = off");
  quote_too_little();
  s.run(
      "create table t (id int primary key, x int); select vestige.track('t');"
      " alter table t add \"begin\" text; set default_transaction_read_only = on");
  EXPECT_EQ(failing(s), fails("t", "record \"new\" has no field \"begin\""));
  s.run(
      "set default_transaction_read_only = off; insert into e values (1, 'a'), (2, 'b');"
      " insert into f values (1, 'a')");
}

// Where nobody told of DDL, capture is made anew by the next write: of what it would be then.
TEST_F(PostgresCaptureTrial, DoctorTriesWhatTheNextWriteWouldMake) {
  s.run(
      "create table t (id int primary key); select vestige.track('t'); alter event trigger "
      "vestige_ddl_end disable; alter table t add \"while\" text");
  EXPECT_EQ(failing(s), "");
  quote_too_little();
  EXPECT_EQ(failing(s), fails("t", "record \"new\" has no field \"while\""));
}

}  // namespace
}  // namespace vestige
