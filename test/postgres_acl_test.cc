// Who has rights on the trail: whole lists of them, whatever default privileges, grants and restores did.
#include <cstdlib>

#include "test/postgres_capture.h"
#include "vestige/audit/doctor.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

// What an application is for: to say who acts, and what it read.
constexpr std::string_view kEverybodys =
    "vestige.access(regclass,text,text,text,text,text,text,text,timestamp with time "
    "zone,bigint,text[])\nvestige.challenge()\nvestige.set_context(jsonb)";

// What a role may do with the trail, of everything that it has: one line for each.
std::string rights_of(PgSession& session, const std::string& role) {
  return session.one(
      "select coalesce(string_agg(r, E'\\n' order by r), '') from (select c.oid::regclass || ' ' "
      "|| p as r from "
      "pg_class c, "
      "unnest(array['select','insert','update','delete','truncate','references','trigger']) p "
      "where "
      "c.relnamespace = 'vestige'::regnamespace and c.relkind in ('r','p','v') and "
      "(has_table_privilege('" +
      role +
      "', c.oid, p) or p in ('select','insert','update','references') and "
      "has_any_column_privilege('" +
      role +
      "', c.oid, p)) union all select c.oid::regclass || ' ' || p from pg_class c, "
      "unnest(array['usage','select','update']) p "
      "where c.relnamespace = 'vestige'::regnamespace and c.relkind = 'S' and "
      "has_sequence_privilege('" +
      role +
      "', c.oid, p) union all select p.oid::regprocedure::text from pg_proc p where p.pronamespace "
      "= "
      "'vestige'::regnamespace and has_function_privilege('" +
      role + "', p.oid, 'execute') union all select 'create' where has_schema_privilege('" + role +
      "', 'vestige', 'create')) x");
}

class PostgresAcl : public testing::Test {
 protected:
  std::string found(PgSession& session) {
    return session.one(
        "select coalesce(string_agg(distinct code, ', '), '') from vestige.doctor() where severity "
        "<> 'note'");
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresAcl, DefaultPrivilegesGiveNothing) {
  const std::string app = shop.role("app");
  ScratchDatabase other;
  PgSession session(other.url());
  session.run("alter default privileges grant all on tables to " + app +
              "; alter default privileges grant all on sequences to " + app +
              "; alter default privileges grant execute on functions to " + app +
              "; alter default privileges grant all on schemas to " + app);
  ASSERT_TRUE(install(session.db()).has_value());
  session.run(
      "create table t (id int primary key); select vestige.track('t'); create table p (id int "
      "primary key) partition by "
      "range (id); select vestige.track('p'); alter table t add x int; insert into t values (1, "
      "1); "
      "insert into vestige.change (at, xid, context, tracked, shape, op) select now() + interval "
      "'1 year', xid, context, tracked, shape, op from vestige.change limit 1");
  session.run("select vestige.maintain()");
  EXPECT_EQ(rights_of(session, app), kEverybodys);
  EXPECT_EQ(found(session), "");
}

TEST_F(PostgresAcl, WhoCannotBindASignatureAnyMoreIsTold) {
  s.run("revoke execute on function vestige.challenge() from public");
  EXPECT_NE(s.one("select string_agg(message, '') from vestige.doctor()")
                .find("cannot bind a signature to its transaction"),
            std::string::npos);
  s.run("grant execute on function vestige.challenge() to public");
  EXPECT_EQ(found(s), "");
}

// Every privilege on every kind of object, given to a role and to everybody, by name and by column.
TEST_F(PostgresAcl, WhatSomebodyGaveIsFoundAndTaken) {
  s.run("create table t (id int primary key); select vestige.track('t')");
  const std::string thief = shop.role("thief");
  const std::string before = rights_of(s, thief);
  EXPECT_EQ(before, kEverybodys);
  for (const std::string& whom : {thief, std::string("public")})
    for (const std::string what :
         {"all on vestige.change", "insert on vestige.change_default",
          "update (old_row) on vestige.change", "select on vestige.context",
          "select on vestige.changes", "usage on sequence vestige.change_id",
          "create on schema vestige", "execute on function vestige.capture_1()",
          "execute on function vestige.end_policy(int)",
          "execute on all functions in schema vestige", "all on all tables in schema vestige"}) {
      s.run("grant " + what + " to " + whom);
      EXPECT_EQ(found(s), "rights") << what;
      EXPECT_TRUE(doctor(s.db(), true).has_value());
      EXPECT_EQ(found(s), "") << what;
    }
  s.run("grant select on vestige.change to " + thief +
        " with grant option; select vestige.mend(); select vestige.set_rights(true)");
  EXPECT_EQ(rights_of(s, thief), before);
  s.run(
      "revoke usage on schema vestige from public; revoke select on vestige.changes from "
      "vestige_reader");
  EXPECT_EQ(found(s), "rights");
  EXPECT_TRUE(*install(s.db()));
  EXPECT_EQ(found(s), "");
}

TEST_F(PostgresAcl, ARestoreWithoutPrivilegesIsPutRight) {
  const std::string app = shop.role("app");
  s.run(
      "create table t (id int primary key); select vestige.track('t'); create table p (id int "
      "primary key) partition by range "
      "(id); select vestige.track('p')");
  ScratchDatabase copy;
  const std::string command =
      "pg_dump -O -x '" + shop.database.url() + "' | psql -qX '" + copy.url() + "' >/dev/null 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0);
  PgSession other(copy.url());
  other.run("grant all on t to " + app);
  EXPECT_EQ(found(other), "rights");
  EXPECT_TRUE(*install(other.db()));
  EXPECT_EQ(found(other), "");
  EXPECT_FALSE(*install(other.db()));
  EXPECT_EQ(rights_of(other, app), kEverybodys);
  PgSession mine(copy.url(app));
  mine.run(
      "begin; select vestige.set_context('{\"actor\": \"ann\"}'); insert into t values (1); "
      "commit");
  const auto looked = require_trail(mine.db());
  ASSERT_FALSE(looked.has_value());
  EXPECT_EQ(looked.error().message, "read the trail: " + app + " may not");
  EXPECT_EQ(looked.error().hint, "grant vestige_reader to " + app);
}

TEST_F(PostgresAcl, ANewOwnerMakesPartitions) {
  const std::string before = shop.role("before");
  const std::string after = shop.role("after");
  for (const bool events : {true, false}) {
    if (!events)
      s.run(
          "drop event trigger vestige_ddl_end; drop event trigger vestige_ddl_start; select "
          "vestige.mend()");
    for (const std::string& change :
         {"reassign owned by " + before + " to " + after, "alter table s.m owner to " + after}) {
      s.run("drop schema if exists s cascade; create schema s authorization " + before +
            "; grant all on schema s to " + after + "; set role " + before +
            "; create table s.m (id int primary key) partition by range (id); reset role; select "
            "vestige.track('s.m')");
      s.run(change);
      EXPECT_EQ(s.error("grant all on schema s to " + after + "; set role " + after +
                        "; create table s.m2 partition of s.m for values from (10) to (20)"),
                "")
          << change << events;
      s.run("reset role; insert into s.m values (11)");
      EXPECT_EQ(s.one("select key from vestige.change order by id desc limit 1"), "11");
      s.error("select vestige.untrack('s.m')");
    }
  }
}

TEST_F(PostgresAcl, APublicationForAllTablesStopsNothing) {
  s.run("create table t (id int primary key, v text)");
  if (s.one("show wal_level") != "logical")
    s.run("set client_min_messages = error");  // a publication is only told of it
  s.run(
      "create publication everything for all tables; select vestige.track('t'); insert into t "
      "values (1, 'x'); delete from t;"
      "insert into vestige.note values (now() - interval '1 year', 'old'); select "
      "vestige.maintain()");
  EXPECT_EQ(
      s.error("begin; select vestige.set_context('{\"reason\": \"gone\"}'); select "
              "vestige.erase_changes(array(select id from vestige.change), true, true); commit"),
      "");
  EXPECT_EQ(s.one("select string_agg(c.oid::regclass::text, ' ') from pg_class c where "
                  "c.relnamespace = 'vestige'::regnamespace and "
                  "c.relkind in ('r', 'p') and c.relreplident <> 'f' and not exists (select from "
                  "pg_index i where i.indrelid = c.oid and i.indisprimary)"),
            "");
  s.run("drop publication everything");
}

// What any role can hold holds nobody else up: there is no advisory lock in the trail's SQL.
TEST_F(PostgresAcl, NoLockThatAnybodyCanHold) {
  EXPECT_EQ(s.one("select string_agg(proname, ' ') from pg_proc where pronamespace = "
                  "'vestige'::regnamespace and prosrc ~ "
                  "'advisory' and proname not like 'erase%'"),
            "");
  const std::string app = shop.role("app");
  PgSession mine = shop.connect(app);
  for (const std::string name : {"track", "maintain", "refit"})
    mine.run("select pg_advisory_lock(hashtext('vestige." + name +
             "'), n) from generate_series(0, 9) n");
  s.run(
      "set lock_timeout = '5s'; create table t (id int primary key); select vestige.track('t'); "
      "select vestige.maintain(); "
      "alter table t add x int; insert into t values (1, 1)");
  EXPECT_EQ(s.one("select shape::text from vestige.tracked"), "2");
}

}  // namespace
}  // namespace vestige
