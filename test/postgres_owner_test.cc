// A trail that belongs to vestige_owner: a role that is nobody's, owns no table and is no superuser.
#include "test/postgres_capture.h"
#include "vestige/audit/doctor.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

/// The role vestige_owner, which belongs to the whole server.
struct OwnerRole {
  explicit OwnerRole(PgSession& session) : s(session) {
    s.run("create role vestige_owner nologin");
  }
  ~OwnerRole() {
    EXPECT_EQ(s.error("drop owned by vestige_owner cascade; drop role vestige_owner"), "");
  }
  PgSession& s;
};

class PostgresOwner : public testing::Test {
 protected:
  void SetUp() override {
    shop_owner = shop.role("shop");
    app = shop.role("app");
    super.run("begin; " + std::string(vestige::sql::postgres::install) + "; commit");
    super.run("create schema app authorization " + shop_owner + "; grant vestige_admin to " +
              shop_owner);
    mine.emplace(database.url(shop_owner));
    mine->run(
        "create table app.t (id int primary key, x int, y text); grant usage on schema app to " +
        app + "; grant select, insert, update, delete, truncate on app.t to " + app +
        "; select vestige.track('app.t')");
    session.emplace(database.url(app));
  }
  std::string replayed() { return PgShop::replayed_in(super, "app.t"); }
  // What is not a note in what doctor says: "severity code table".
  std::string found(PgSession& by) {
    return by.one(
        "select coalesce(string_agg(concat_ws(' ', severity, code, \"table\"), ', '), '') from "
        "vestige.doctor() where severity <> 'note'");
  }

  PgShop shop;  // of the roles
  OwnerRole owner{shop.admin};
  ScratchDatabase database;
  PgSession super{database.url()};
  std::string shop_owner, app;
  std::optional<PgSession> mine, session;
};

constexpr const char* kOwners =
    "select string_agg(distinct o::regrole::text, ' ') from (select relowner o from pg_class where "
    "relnamespace = 'vestige'::regnamespace and relkind <> 'i' union select proowner from pg_proc "
    "where pronamespace = 'vestige'::regnamespace and prorettype <> 'event_trigger'::regtype union "
    "select typowner from pg_type where typnamespace = 'vestige'::regnamespace union select "
    "nspowner "
    "from pg_namespace where nspname = 'vestige') x";

TEST_F(PostgresOwner, OwnsTheTrailAndNothingElse) {
  EXPECT_EQ(super.one(kOwners), "vestige_owner");
  EXPECT_EQ(found(super), "");
  session->run(
      "insert into app.t values (1, 1, 'a'), (2, 2, 'b'); update app.t set x = 5; delete from "
      "app.t "
      "where id = 2");
  mine->run(
      "alter table app.t add z int, drop column y; create table app.p (id int primary key) "
      "partition "
      "by range (id); create table app.p1 partition of app.p for values from (0) to (10); select "
      "vestige.track('app.p', baseline => true); create table app.p2 partition of app.p for values "
      "from (10) to (20); insert into app.p values (1), (11); truncate app.p2; truncate app.p");
  session->run("update app.t set z = 1; truncate app.t; insert into app.t values (3, 3, 3)");
  EXPECT_EQ(replayed(), "");
  EXPECT_EQ(PgShop::replayed_in(super, "app.p"), "");
  super.run("alter table app.p owner to " + app);
  EXPECT_EQ(found(super), "");
  EXPECT_TRUE(doctor(super.db(), true).has_value());
  EXPECT_EQ(super.one("select string_agg(op::text, '' order by id) from vestige.change where "
                      "tracked = 2"),
            "IIDDT");
  EXPECT_EQ(
      super.one("select string_agg(distinct db_user, ' ') from vestige.changes where \"table\" "
                "= 'app.t'"),
      app);
  EXPECT_EQ(super.one(kOwners), "vestige_owner");
  EXPECT_EQ(found(super), "");
  EXPECT_EQ(super.one("select string_agg(message, '; ') from vestige.note"), "");
}

TEST_F(PostgresOwner, TheOwnerOfATableCannotTouchItsHistory) {
  session->run("insert into app.t values (1, 1, 'a')");
  mine->run("create table app.mine (id int primary key, x int, y text)");
  for (const char* attempt :
       {"insert into vestige.change select * from vestige.change",
        "delete from vestige.change",
        "update vestige.change set key = '2'",
        "truncate vestige.change",
        "drop table vestige.change",
        "drop schema vestige cascade",
        "set role vestige_owner",
        "alter table vestige.change disable trigger all",
        "alter table vestige.change owner to current_user",
        "drop function vestige.capture_1() cascade",
        "alter function vestige.capture_1() security invoker",
        "create or replace function vestige.capture_1() returns trigger language plpgsql as 'begin "
        "return null; end'",
        "update vestige.tracked set policy = '{}'",
        "insert into vestige.note (message) values ('')",
        "create trigger x after insert on "
        "app.mine for each row execute function vestige.capture_1()",
        "create trigger x before truncate "
        "on app.mine for each statement execute function vestige.capture_truncate('1')",
        "select vestige.track('app.t', \"when\" => 'new.x > 1')",
        "select vestige.refit(1, 'app.t'::regclass)",
        "select vestige.mend()",
        "select nextval('vestige.change_id')"})
    EXPECT_NE(mine->error(attempt), "") << attempt;
  // What it may call makes only triggers that must be there.
  mine->run(
      "select vestige.make_trigger(1, "
      "'app.mine', '0_vestige_change'), vestige.make_trigger(1, 'app.t', '0_vestige_change')");
  EXPECT_EQ(super.one("select count(*)::text from pg_trigger where tgrelid = 'app.mine'::regclass"),
            "0");
  // Its own table's capture it can switch off; doctor says so.
  mine->run("alter table app.t disable trigger \"0_vestige_change\"");
  EXPECT_EQ(found(super), "error gap app.t, error triggers-disabled app.t");
  mine->run("select vestige.track('app.t'), vestige.untrack('app.t'), vestige.track('app.t')");
  EXPECT_EQ(found(super), "error gap app.t");
}

TEST_F(PostgresOwner, AnAdminUndoesWhatWasDoneToItsTables) {
  session->run("insert into app.t values (1, 1, 'a'), (2, 1, 'b')");
  session->run("update app.t set x = 2");
  mine->run("select vestige.revert(tx) from vestige.changes order by id desc limit 1");
  EXPECT_EQ(super.one("select string_agg(x::text, '') from app.t"), "11");
  mine->run("select vestige.undo(max(id)) from vestige.change");
  EXPECT_EQ(super.one("select string_agg(x::text, '' order by id) from app.t"), "21");
  EXPECT_NE(session->error("select vestige.revert(1)"), "");
  EXPECT_EQ(replayed(), "");
}

// Writes of every kind, with triggers and cascades, and DDL between them.
constexpr const char* kWrites[] = {
    "insert into app.t values (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')",
    "update app.t set x = x + 1, y = y || 'x'",
    "update app.t set id = id + 10",
    "insert into app.cause values (11), (12)",
    "update app.cause set id = id",
    "alter table app.t add z app.mood",
    "insert into app.cause values (13)",
    "update app.t set z = 'ok'",
    "begin; insert into app.cause values (14); update app.t set x = x + 1; insert into app.t "
    "values "
    "(5, 5, 'e', 'ok'); update app.cause set id = id where id = 11; commit",
    "delete from app.t where id = 11",
    "insert into app.t values (1, 1, 'a', 'ok') on conflict (id) do update set x = 0"};

TEST_F(PostgresOwner, CaptureNeedsNoRightOnTheTable) {
  super.run("drop event trigger vestige_ddl_end");  // it would ask for the rights again
  mine->run(
      "create type app.mood as enum ('ok', 'bad'); create domain app.feeling as app.mood not null; "
      "create table app.felt (id int primary key, f app.feeling); select "
      "vestige.track('app.felt'); "
      "create table app.cause (id int primary key); create function app.effect() returns trigger "
      "language plpgsql as $f$ begin update app.t set x = x + 100 where id = new.id; insert into "
      "app.t (id, x) values (new.id + 100, 0) on conflict (id) do update set x = 7; update app.t "
      "set "
      "y = 'effect' where id in (new.id, new.id + 100); return new; end $f$; create trigger effect "
      "after insert or update on app.cause for each row execute function app.effect(); create "
      "function app.again() returns trigger language plpgsql as $f$ begin if new.x < 50 then "
      "update "
      "app.t set x = x + 50 where id = new.id; end if; return new; end $f$; create trigger again "
      "after update on app.t for each row execute function app.again()");
  // Once as it is tracked, once with every right taken back, once with a session that has its plans.
  for (const char* before :
       {"select",
        "revoke all on app.t, app.felt from vestige_owner; revoke usage on schema app from "
        "vestige_owner"}) {
    mine->run(before);
    for (const char* write : kWrites) {
      ASSERT_EQ(mine->error(write), "") << write;
      ASSERT_EQ(replayed(), "") << write;
    }
    ASSERT_EQ(mine->error("insert into app.felt values (1, 'ok'); update app.felt set f = 'bad'; "
                          "delete from app.felt"),
              "");
    ASSERT_EQ(PgShop::replayed_in(super, "app.felt"), "");
    mine->run("alter table app.t drop z; delete from app.t; delete from app.cause");
  }
  EXPECT_EQ(found(super), "warning rights app.felt, warning rights app.t");
  // A TRUNCATE is not refused; that its rows are not there is said.
  session->run("insert into app.t values (1, 1, 'a'); truncate app.t");
  EXPECT_EQ(super.one("select string_agg(op::text, '' order by id desc) from (select * from "
                      "vestige.change order by id desc limit 2) x"),
            "TI");
  EXPECT_EQ(super.one("select message from vestige.note"),
            "TRUNCATE of app.t by " + app +
                ": its rows are not in the trail, since the trail's owner may not read them");
  const auto mended = doctor(super.db(), true);
  ASSERT_TRUE(mended.has_value()) << mended.error().message;
  EXPECT_EQ(found(super), "");
  EXPECT_EQ(super.one("select has_table_privilege('vestige_owner', 'app.t', 'select')::text"),
            "true");
}

TEST_F(PostgresOwner, ATableMovesToASchemaThatTheOwnerMayNotUse) {
  super.run("create schema hidden authorization " + shop_owner +
            "; grant usage on schema hidden to " + app);
  session->run("insert into app.t values (1, 1, 'a'); update app.t set x = 2");
  mine->run("alter table app.t set schema hidden");
  session->run(
      "insert into hidden.t values (2, 1, 'a'); update hidden.t set x = 3; delete from hidden.t "
      "where id = 1");
  EXPECT_EQ(PgShop::replayed_in(super, "hidden.t"), "");
  super.run("alter schema hidden rename to veiled");
  mine->run(
      "alter table veiled.t enable row level security, "
      "force row level security");
  mine->run("create policy every on veiled.t using (true) with check (true)");
  session->run("insert into veiled.t values (4, 1, 'a'); update veiled.t set x = 4");
  EXPECT_EQ(PgShop::replayed_in(super, "veiled.t"), "");
  session->run("truncate veiled.t");
  EXPECT_EQ(super.one("select op::text from vestige.change order by id desc limit 1"), "T");
  EXPECT_EQ(
      super.one("select message from vestige.doctor() where code = 'rights'")
          .find("row-level security of table veiled.t holds for the trail's owner vestige_owner"),
      0U);
}

TEST_F(PostgresOwner, WhatCannotBeLentIsAskedFor) {
  const std::string other = shop.role("other");
  super.run("create schema far authorization " + other +
            "; create table far.t (id int primary key); "
            "alter table far.t owner to " +
            shop_owner + "; grant usage on schema far to " + shop_owner);
  const auto refused = mine->error("select vestige.track('far.t')");
  EXPECT_NE(refused.find(
                "the trail's owner vestige_owner may not make triggers there: permission denied"),
            std::string::npos)
      << refused;
  super.run("grant usage on schema far to vestige_owner");
  mine->run("select vestige.track('far.t'); insert into far.t values (1)");
  EXPECT_EQ(PgShop::replayed_in(super, "far.t"), "");
}

TEST_F(PostgresOwner, InstallsAgainForMembersOnly) {
  super.run("grant create on database " + database.name() + " to " + shop_owner);
  const auto script = "begin; " + std::string(vestige::sql::postgres::install) + "; commit";
  const auto refused = mine->error(script);
  EXPECT_NE(
      refused.find("the trail belongs to vestige_owner, and " + shop_owner + " is no member of it"),
      std::string::npos)
      << refused;
  mine->error("rollback");
  // Without a superuser, the event triggers apart.
  super.run(
      "drop event trigger vestige_ddl_start; drop event trigger vestige_ddl_end; drop event "
      "trigger "
      "vestige_drop; alter function vestige.on_ddl_start() owner to vestige_owner; alter function "
      "vestige.on_ddl() owner to vestige_owner; alter function vestige.on_drop() owner to "
      "vestige_owner; "
      "grant vestige_owner to " +
      shop_owner);
  mine->run(script);
  EXPECT_EQ(super.one(kOwners), "vestige_owner");
  EXPECT_EQ(found(super), "warning rights");
  super.run("revoke vestige_owner from " + shop_owner);
  session->run("insert into app.t values (1, 1, 'a')");
  super.run("drop schema vestige cascade; grant vestige_owner to " + shop_owner);
  mine->run(script + "; select vestige.track('app.t'); insert into app.t values (2, 2, 'b')");
  EXPECT_EQ(super.one(kOwners), "vestige_owner");
  EXPECT_EQ(super.one("select count(*)::text from vestige.change"), "1");
}

TEST_F(PostgresOwner, ATrailKeepsItsOwnerUnlessItIsGivenAway) {
  PgSession& s = shop.admin;
  s.run("begin; " + std::string(vestige::sql::postgres::install) +
        "; commit; create table t (id int "
        "primary key); select vestige.track('t')");
  EXPECT_EQ(s.one(kOwners), "postgres");
  s.run("alter schema vestige owner to vestige_owner");
  EXPECT_EQ(found(s).find("error trail-altered"), 0U);
  const auto given = install(s.db());
  ASSERT_TRUE(given.has_value()) << given.error().message;
  EXPECT_TRUE(*given);
  EXPECT_EQ(s.one(kOwners), "vestige_owner");
  EXPECT_EQ(found(s), "");
  EXPECT_EQ(s.one("select string_agg(message, ' ') from vestige.doctor()"), "");
  s.run("insert into t values (1)");
  EXPECT_EQ(shop.replayed("public.t"), "");
}

// Whoever asks doctor, it tries as the trail's owner; where that one may not read the table, it says nothing of it.
TEST_F(PostgresOwner, TriesWhatItMayReadAndSaysNothingOfTheRest) {
  super.run(
      "create or replace function vestige.quoted(name text) returns text language sql immutable "
      "set search_path = pg_catalog, pg_temp as $$ select quote_ident(name) $$");
  mine->run("alter table app.t add \"while\" text");
  for (PgSession* by : {&super, &*mine})
    EXPECT_EQ(found(*by), "error trail-altered, error capture-fails app.t");
  super.run("revoke select on app.t from vestige_owner");
  EXPECT_EQ(found(super), "error trail-altered, warning rights app.t");
  super.run(
      "grant select on app.t to vestige_owner; revoke usage on schema app from vestige_owner");
  EXPECT_EQ(found(super), "error trail-altered, warning rights app.t");
}

}  // namespace
}  // namespace vestige
