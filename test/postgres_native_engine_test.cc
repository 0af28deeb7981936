// Which engine records a table: switching, what is refused, and the extension as such.
#include <gtest/gtest.h>

#include "test/native_opened.h"
#include "vestige/base/file.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

class PostgresEngine : public ::testing::Test {
 protected:
  void SetUp() override {
    shop.admin.run("create table t (id int primary key, v text); select vestige.track('t')");
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresEngine, WhatIsRefused) {
  EXPECT_NE(s.error("select vestige.set_engine('t', 'other')").find(": there is no engine other"),
            std::string::npos);
  EXPECT_NE(s.error("select vestige.set_engine('t', null)").find(": there is no engine"),
            std::string::npos);
  s.run("drop function if exists vestige.capture_native() cascade");
  EXPECT_NE(s.error("select vestige.set_engine('t', 'native')")
                .find(": the native engine is not in this database"),
            std::string::npos);
  s.run("create table u (id int)");
  EXPECT_NE(s.error("select vestige.set_engine('u', 'portable')")
                .find("set_engine public.u: it is not tracked"),
            std::string::npos);
}

TEST_F(PostgresEngine, QuotedIdentifiersAreNoAlteration) {
  PgSession other = shop.connect();
  other.run(
      "set quote_all_identifiers = on; insert into t values (1, 'a'); update t set v = 'b'; delete "
      "from t");
  EXPECT_EQ(s.one("select count(*)::text from vestige.shape"), "1");
  EXPECT_EQ(s.one("select count(distinct shape)::text from vestige.change"), "1");
}

class PostgresNativeEngine : public PostgresEngine {
 protected:
  void SetUp() override {
    if (!NativeTwins::there(shop)) GTEST_SKIP() << "the server has no native engine";
    PostgresEngine::SetUp();
  }
  std::string function() {
    return s.one("select tgfoid::regproc::text from pg_trigger where tgname = '0_vestige_change'");
  }
};

TEST_F(PostgresNativeEngine, WhoOwnsATableMakesPartitionsOfItAndForgesNoOthers) {
  const std::string role = s.one("select 'owner_' || pg_backend_pid()");
  s.run("create role " + role + "; create schema app authorization " + role);
  PgSession other = shop.connect();
  other.run("set role " + role +
            "; create table app.parts (id int, v text, primary key (id)) partition by range (id);"
            " create table app.one partition of app.parts for values from (0) to (10)");
  s.run(
      "select vestige.track('app.parts'); select vestige.set_engine('app.parts', 'native');"
      " select vestige.set_engine('t', 'native')");
  other.run(
      "create table app.two partition of app.parts for values from (10) to (20);"
      " insert into app.parts values (1, 'a'), (11, 'b')");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change c join vestige.tracked t on t.id = "
                  "c.tracked where t.table_name = 'parts'"),
            "2");
  // The right to the one function is no right to the records of others.
  const std::string id = s.one("select id::text from vestige.tracked where table_name = 't'");
  other.run(
      "create table app.mine (id int primary key, v text); create trigger forge after insert on "
      "app.mine"
      " for each row execute function vestige.capture_native('" +
      id + "')");
  EXPECT_EQ(other.error("insert into app.mine values (1, 'forged')"), "");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where tracked = " + id), "0");
  EXPECT_EQ(s.one("select coalesce(string_agg(code, ' '), '') from vestige.doctor() where code in "
                  "('trail-altered', 'function-altered', 'triggers-altered')"),
            "");
  other.run("reset role");
  s.run("select vestige.untrack('app.parts'); drop schema app cascade; drop owned by " + role +
        "; drop role " + role);
}

TEST_F(PostgresNativeEngine, DoctorFindsATableThatHasAnotherName) {
  s.run(
      "select vestige.set_engine('t', 'native'); alter event trigger vestige_ddl_end disable; "
      "alter table t rename "
      "to u; create table t (a int)");
  EXPECT_EQ(s.one("select string_agg(code, ' ') from vestige.doctor() where severity <> 'note' and "
                  "code like 'table-%'"),
            "table-renamed");
  s.run("select vestige.mend()");
  EXPECT_EQ(s.one("select table_name::text from vestige.tracked"), "u");
  s.run("insert into u values (1, 'a')");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change"), "1");
}

TEST_F(PostgresNativeEngine, OneHistoryThroughSwitching) {
  s.run("insert into t values (1, 'a')");
  for (const char* engine : {"native", "portable", "native"}) {
    s.run("select vestige.set_engine('t', '" + std::string(engine) +
          "'); update t set v = v || 'x'; insert into t select max(id) + 1, 'n' from t");
    EXPECT_EQ(function() == "vestige.capture_native", std::string(engine) == "native");
    EXPECT_EQ(s.one("select coalesce(vestige.trouble(1), 'none')"), "none") << engine;
    // A new policy leaves the engine alone.
    s.run("select vestige.track('t', tags => '{A}')");
    EXPECT_EQ(function() == "vestige.capture_native", std::string(engine) == "native");
  }
  EXPECT_EQ(shop.replayed("public.t"), "");
  EXPECT_EQ(s.one("select count(distinct tracked)::text from vestige.change"), "1");
  s.run("select vestige.untrack('t')");
  EXPECT_EQ(s.one("select count(*)::text from pg_trigger where tgname ~ 'vestige'"), "0");
}

TEST_F(PostgresNativeEngine, PoliciesOfOtherSessionsCountAtOnce) {
  s.run("select vestige.set_engine('t', 'native'); insert into t values (1, 'a')");
  PgSession other = shop.connect();
  other.run("begin isolation level repeatable read; select 1");
  s.run("select vestige.track('t', exclude => '{v}')");
  other.run("update t set v = 'b'; commit; update t set v = 'c'");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where op = 'U'"), "0");
  s.run("select vestige.track('t')");
  other.run("update t set v = 'd'");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where op = 'U'"), "1");
}

TEST_F(PostgresNativeEngine, ARowIsVisibleToTheNextStatement) {
  s.run(
      "select vestige.set_engine('t', 'native'); begin; insert into t values (1, 'a'); create "
      "table seen as select count(*) as n from vestige.changes; commit");
  EXPECT_EQ(s.one("select n::text from seen"), "1");
}

TEST_F(PostgresNativeEngine, PartitionsOfTheTrailAreFollowed) {
  s.run(
      "do $$ declare p regclass; begin for p in select relation from vestige.partitions() loop "
      "execute format('drop table %s', p); end loop; end $$");
  s.run(
      "select vestige.set_engine('t', 'native'); insert into t values (1, 'a'); begin; insert into "
      "t values (2, 'b'); rollback; "
      "alter table vestige.change detach partition vestige.change_default; create table "
      "vestige.change_now partition of vestige.change for values from (now() - interval '1 day') "
      "to (now() + interval '1 day'); insert into t values (3, 'c')");
  PgSession other = shop.connect();
  other.run("insert into t values (4, 'd')");
  EXPECT_EQ(s.one("select string_agg(key, ' ' order by id) from vestige.change_now"), "3 4");
  // None for this moment: as any INSERT into a partitioned table.
  s.run("drop table vestige.change_now cascade");
  EXPECT_NE(s.error("insert into t values (5, 'e')").find("no partition of relation"),
            std::string::npos);
  s.run("alter table vestige.change attach partition vestige.change_default default");
  s.run("insert into t values (5, 'e')");
  EXPECT_EQ(s.one("select string_agg(key, ' ' order by id) from vestige.change"), "1 5");
}

TEST_F(PostgresNativeEngine, WhatWasAddedToTheTrailIsRespected) {
  s.run("select vestige.set_engine('t', 'native'); insert into t values (1, 'a')");
  for (const char* added : {"create index on vestige.change using brin (at)",
                            "create index on vestige.change ((lower(key)))",
                            "create index on vestige.change (tracked) where op = 'U'",
                            "alter table vestige.change add check (tracked > 0)",
                            "alter table vestige.change add noted text default 'x'"}) {
    s.run(added);
    s.run("update t set v = v || '.'; insert into t select max(id) + 1, 'b' from t");
  }
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where noted = 'x'"), "21");
  s.run("set enable_seqscan = off; set enable_bitmapscan = on");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where tracked = 1 and op = 'U'"),
            "15");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where lower(key) = '1'"), "6");
  EXPECT_EQ(shop.replayed("public.t"), "");
}

TEST_F(PostgresNativeEngine, OnlyForRowsAfterAChange) {
  for (const char* wrong :
       {"create trigger x before insert on u for each row execute function "
        "vestige.capture_native('1')",
        "create trigger x after insert on u for each statement execute function "
        "vestige.capture_native('1')",
        "create trigger x after insert on u for each row execute function "
        "vestige.capture_native()"}) {
    s.run("create table u (id int)");
    s.run(wrong);
    EXPECT_NE(s.error("insert into u values (1)")
                  .find("capture_native is for row triggers that fire after a change"),
              std::string::npos)
        << wrong;
    s.run("drop table u");
  }
}

TEST_F(PostgresNativeEngine, TwoPhaseCommit) {
  if (s.one("show max_prepared_transactions") == "0") GTEST_SKIP();
  s.run(
      "select vestige.set_engine('t', 'native'); begin; insert into t values (1, 'a'); prepare "
      "transaction 'x'");
  s.run("insert into t values (2, 'b'); commit prepared 'x'");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change c join vestige.context x on x.id = "
                  "c.context and x.xid = c.xid"),
            "2");
}

TEST_F(PostgresNativeEngine, TheExtensionThroughDumpAndRestore) {
  ScratchDatabase made;
  PgSession db(made.url());
  db.run(
      "create extension vestige; "
      "create table t (id int primary key, v text); select vestige.track('t'); "
      "select vestige.set_engine('t', 'native'); insert into t values (1, 'a'), (2, 'b'); "
      "update t set v = 'c' where id = 1");
  ScratchDatabase copy;
  const std::string said =
      shell("set -o pipefail; pg_dump '" + made.url() +
            "' | psql -qX1 -o /dev/null -v ON_ERROR_STOP=1 '" + copy.url() + "'");
  if (said.find("server version mismatch") != std::string::npos) GTEST_SKIP() << said;
  ASSERT_EQ(said, "");
  PgSession restored(copy.url());
  const std::string trail =
      "select string_agg(c::text, ' ' order by id) from vestige.change c where id <= 3";
  EXPECT_EQ(restored.one(trail), db.one(trail));
  restored.run("update t set v = 'd'; delete from t where id = 2");
  EXPECT_EQ(PgShop::replayed_in(restored, "public.t"), "");
  EXPECT_EQ(restored.one("select count(distinct tracked)::text from vestige.change"), "1");
}

// Whose the keys are is found again: the salt is not what the extension writes down by itself.
TEST_F(PostgresNativeEngine, ARestoredExtensionKnowsItsSubjects) {
  ScratchDatabase made;
  PgSession db(made.url());
  const std::string salt = "select max(value) from vestige.meta where name = 'subject_salt'";
  db.run("create extension vestige");
  EXPECT_EQ(db.one("select count(*)::text from vestige.meta where name = 'subject_salt'"), "0");
  EXPECT_NE(
      db.error("select vestige.subject_prefix(1)").find("this trail has no salt for its subjects"),
      std::string::npos);
  db.run(file_bytes(SOURCE_DIR "/test/encrypted.sql").value());
  db.run(
      "create table t (id int primary key, v text); select vestige.track('t', encrypt => '{\"v\": "
      "\"phi\"}', subject => 'id'); insert into t values (1, 'a'), (2, 'b')");
  const std::string first = db.one(salt);
  db.run(
      "select vestige.track('t', encrypt => '{\"v\": \"phi\"}', subject => 'id', capture => "
      "'full')");
  EXPECT_EQ(db.one(salt), first) << "it is the trail's for ever";
  db.run(
      "delete from vestige.meta where name = 'subject_salt'; select vestige.track('t', encrypt => "
      "'{\"v\": \"phi\"}', subject => 'id')");
  EXPECT_EQ(db.one(salt), first) << "of the table's shapes, where it was lost";
  ScratchDatabase copy;
  const std::string said =
      shell("set -o pipefail; pg_dump '" + made.url() +
            "' | psql -qX1 -o /dev/null -v ON_ERROR_STOP=1 '" + copy.url() + "'");
  if (said.find("server version mismatch") != std::string::npos) GTEST_SKIP() << said;
  ASSERT_EQ(said, "");
  PgSession restored(copy.url());
  EXPECT_EQ(restored.one(salt), first);
  EXPECT_EQ(
      restored.one("select count(*)::text from vestige.encrypted_key k, vestige.tracked t where "
                   "k.subject = vestige.subject_digest(vestige.subject_prefix(t.id), '1')"),
      "1");
}

// What the trail made itself since, its own tables and functions, is none of the extension's.
TEST_F(PostgresNativeEngine, TheExtensionComesToItsNextRelease) {
  if (s.one("select count(*)::text from pg_available_extension_versions where name = 'vestige' and "
            "version = 'next'") == "0")
    GTEST_SKIP() << "test/native.sh makes one";
  ScratchDatabase empty;
  PgSession x(empty.url());
  x.run("create extension vestige");
  NativeOpened opened(x);
  opened.add_to("phi");
  x.run(
      "create table e (id int primary key, v text); select vestige.track('e', encrypt => '{\"v\": "
      "\"phi\"}'); insert into e values (1, 'before')");
  // The function that encrypts is another one with pgcrypto, and cannot be made anew within the script.
  x.run("create extension pgcrypto; alter extension vestige update to 'next'");
  EXPECT_EQ(x.one("select extversion from pg_extension where extname = 'vestige'"), "next");
  x.run("insert into e values (2, 'after'); select vestige.mend(); insert into e values (3, 'c')");
  EXPECT_EQ(opened.told("e"), "I {1,before}; I {2,after}; I {3,c}");
  EXPECT_EQ(x.one("select string_agg(message, '; ') from vestige.doctor() where code = 'encrypt'"),
            "");
}

// A table that was dropped is still tracked, until somebody says that it is not: it has no triggers to make.
TEST_F(PostgresNativeEngine, EnginesAreChosenWhereTablesAreGone) {
  s.run("create table gone (id int primary key); select vestige.track('gone'); drop table gone");
  const auto db = must(open_database(shop.database.url()));
  must(use_engine(*db, "native"));
  EXPECT_EQ(must(use_engine(*db, "portable")), 1);
  EXPECT_EQ(s.one("select string_agg(distinct engine, ' ') from vestige.tracked"), "portable");
  ASSERT_TRUE(NativeTwins::there(shop));
  EXPECT_EQ(must(use_engine(*db, "native")), 1);
  EXPECT_EQ(s.one("select string_agg(distinct engine, ' ') from vestige.tracked"), "native");
}

}  // namespace
}  // namespace vestige
