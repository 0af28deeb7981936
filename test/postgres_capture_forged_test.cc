// What a session can set: none of it is believed of the trail (docs/decisions/0012).
#include "test/postgres_capture.h"

namespace vestige {
namespace {

class PostgresCaptureForged : public testing::Test {
 protected:
  void SetUp() override {
    s.run(
        "create table t (id int primary key, x int); select vestige.track('t'); create table u "
        "(id int primary key, x int); select vestige.track('u')");
  }
  // Every change with its actor, its db user and whether its context is of its own transaction.
  std::string told() {
    return s.one(
        "select string_agg(concat_ws(' ', c.op, c.key, coalesce(vestige.given_fields(x.fields) ->> "
        "'actor', '-'), coalesce(x.db_role, '-'), case when x.xid = c.xid then '' else 'FORGED' "
        "end), '; ' order by c.id) from vestige.change c left join vestige.context x on x.id = "
        "c.context");
  }
  std::string transactions() {
    return s.one(
        "select count(distinct tx)::text || ' of ' || count(distinct xid) from "
        "vestige.context");
  }

  PgShop shop;
  PgSession& s = shop.admin;
};

// Every setting that capture leaves in a session, each with each kind of value, before every change.
TEST_F(PostgresCaptureForged, EverySettingWithEveryValue) {
  s.run("insert into t values (1, 0); insert into u values (1, 0)");
  const std::vector<std::string> left = {"vestige.state",    "vestige.place",
                                         "vestige.nested_1", "vestige.nested_2",
                                         "vestige.number",   "vestige.truncated_1"};
  const std::vector<std::string> values = {
      "''",
      "'7000000'",
      "'(0,1)'",
      "'(4000000,7)'",
      "'1'",
      "statement_timestamp()::text",
      "concat(pg_current_xact_id(), ' ', current_setting('role'), ' ', "
      "current_setting('vestige.context', true))",
      "(select ctid::text from vestige.context order by id limit 1)",
      "(select max(id)::text from vestige.context)"};
  int n = 1;
  for (const std::string& one : left)
    for (const std::string& value : values) {
      const std::string forge = "select set_config('" + one + "', " + value + ", true);";
      const bool no_place = one == "vestige.place" && value.find('(') == std::string::npos;
      if (no_place && value != "''")
        continue;  // text that is no place: the server refuses the write
      if (one == "vestige.place" && value.starts_with("concat")) continue;
      if (one == "vestige.place" && value.starts_with("statement")) continue;
      if (one == "vestige.place" && value.find("max") != std::string::npos) continue;
      s.run("begin; " + forge + "update t set x = x + 1; " + forge + "update u set x = x + 1; " +
            forge + "insert into t values (" + std::to_string(++n) + ", 0); commit");
      const std::string state =
          "select set_config('vestige.state', concat(pg_current_xact_id(), ' ', "
          "current_setting('role'), ' ', current_setting('vestige.context', true)), true);";
      s.run("begin; " + forge + state + "update t set x = x + 1; " + forge + state +
            "insert into t values (" + std::to_string(++n) + ", 0); commit");
    }
  EXPECT_EQ(told().find("FORGED"), std::string::npos) << told();
  EXPECT_EQ(s.one("select (count(distinct tx) = count(distinct xid))::text from vestige.context"),
            "true");
  EXPECT_EQ(shop.replayed("public.t"), "");
  EXPECT_EQ(shop.replayed("public.u"), "");
}

TEST_F(PostgresCaptureForged, AContextThatSaysAnotherRoleOrOtherWords) {
  const std::string group = shop.role("group");
  s.run("grant all on t to " + group);
  const std::string stands =
      "select set_config('vestige.state', concat(pg_current_xact_id(), ' ', "
      "current_setting('role'), ' ', current_setting('vestige.context', true)), true);";
  s.run(
      "begin; select vestige.set_context('{\"actor\": \"ann\"}'); insert into t values (1, 0); "
      "select vestige.set_context(null); " +
      stands +
      "insert into t values (2, 0); set local "
      "role " +
      group + "; " + stands +
      "insert into t values (3, 0); update t set x = 1 where "
      "id = 1; commit");
  EXPECT_EQ(told(), "I 1 ann - ; I 2 - - ; I 3 - " + group + " ; U 1 - " + group + " ");
  EXPECT_EQ(transactions(), "1 of 1");
}

TEST_F(PostgresCaptureForged, SetRoleIsSeen) {
  const std::string group = shop.role("group");
  s.run("grant all on t to " + group +
        "; begin; insert into t values (1, 0); update t set x = 1; "
        "set local role " +
        group +
        "; update t set x = 2; insert into t values (2, 2); reset "
        "role; update t set x = 3 where id = 1; commit");
  EXPECT_EQ(told(), "I 1 - - ; U 1 - - ; U 1 - " + group + " ; I 2 - " + group + " ; U 1 - - ");
  EXPECT_EQ(transactions(), "1 of 1");
}

// What a session can be told to forget: the transaction is one all the same.
TEST_F(PostgresCaptureForged, ATransactionIsOneWhateverTheSessionForgets) {
  for (const std::string forget :
       {"reset all", "discard sequences", "reset all; discard sequences", "discard plans",
        "discard temp", "set session authorization default", "reset vestige.state",
        "savepoint a; select vestige.set_context('{\"actor\": \"b\"}'); update t set x = -x; "
        "rollback to a; reset all"})
    s.run("begin; insert into t select coalesce(max(id), 0) + 1, 0 from t; " + forget +
          "; update t set x = x + 1; " + forget + "; insert into t select max(id) + 1, 0 from t; " +
          forget + "; update t set x = x + 1; commit");
  EXPECT_EQ(transactions(), "8 of 8");
  EXPECT_EQ(told().find("FORGED"), std::string::npos);
  EXPECT_EQ(shop.replayed("public.t"), "");
}

// A trigger that changes rows of its own statement, and makes the session forget that it did.
TEST_F(PostgresCaptureForged, WhatATriggerDidIsNotForgotten) {
  s.run("insert into t values (1, 0), (2, 0), (3, 0)");
  for (const std::string forget :
       {"perform set_config('vestige.nested_1', '', true)", "reset all",
        "reset all; discard sequences",
        "perform set_config('vestige.place', '', true); perform set_config('vestige.nested_1', '', "
        "true)"}) {
    s.run(
        "create or replace function app() returns trigger language plpgsql as $f$ begin if "
        "new.id = 1 and pg_trigger_depth() = 1 then update t set x = x + 100 where id > 1; " +
        forget +
        "; end if; return new; end $f$; drop trigger if exists app on t; create trigger "
        "app after update on t for each row execute function app()");
    s.run(
        "begin; update t set x = x + 1; commit; begin; insert into t select max(id) + 1, 0 from "
        "t; update t set x = x + 1; commit");
    EXPECT_EQ(shop.replayed("public.t"), "") << forget;
  }
}

// The owner of a partitioned table may use its capture function, and has another table fire it.
TEST_F(PostgresCaptureForged, AnotherTableFiresACaptureFunction) {
  const std::string owner = shop.role("owner");
  s.run(
      "create table parts (id int primary key, x int) partition by range (id); create table p1 "
      "partition of parts for values from (0) to (100); alter table parts owner to " +
      owner + "; select vestige.track('parts'); create schema " + owner + " authorization " +
      owner);
  PgSession o = shop.connect(owner);
  o.run("create table " + owner +
        ".parts (id int primary key, x int); create trigger "
        "\"0_vestige_change\" after insert or update or delete on " +
        owner +
        ".parts for each "
        "row execute function vestige.capture_3()");
  s.run("create trigger forged after insert on " + owner +
        ".parts referencing new table as "
        "inserted for each statement execute function vestige.insert_1()");
  o.run("insert into " + owner + ".parts values (1, 1); update " + owner +
        ".parts set x = 2; "
        "alter table " +
        owner + ".parts add y int; update " + owner +
        ".parts set y = 2; delete "
        "from " +
        owner + ".parts");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change"), "0");
  s.run(
      "insert into parts values (1, 1); update parts set x = 2; create table p2 partition of "
      "parts for values from (100) to (200); insert into parts values (101, 1)");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change"), "3");
  EXPECT_EQ(s.one("select relation::regclass::text from vestige.tracked where id = 3"), "parts");
}

}  // namespace
}  // namespace vestige
