// What takes the place of a tracked table: a view, a table with other types, a table of which the trail has not heard. None of
// its functions runs with the rights of whoever looks, or of the trail's owner.
#include "test/evidence.h"
#include "vestige/audit/at.h"
#include "vestige/audit/blame.h"
#include "vestige/audit/diff.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/erase.h"
#include "vestige/audit/revert.h"
#include "vestige/audit/status.h"
#include "vestige/db/database.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

struct Nobody : VerifySink {
  Result<void> found(const Discrepancy& discrepancy) override {
    words += discrepancy.message + "\n";
    return {};
  }
  std::string words;
};

// A database whose application has an owner, and functions that leave a trace when anybody else runs them.
class Watched {
 public:
  Watched() {
    s.run("create schema app authorization " + owner_ + "; grant usage on schema app to public");
    // What a subtransaction takes back is seen all the same: a sequence keeps what it gave.
    o.run("set role " + owner_ + R"sql(;
      set search_path = app, public;
      create sequence seen;
      grant all on sequence seen to public;
      create function spy(v text) returns text language plpgsql as $$ begin
        if current_user <> ')sql" +
          owner_ + R"sql(' then perform nextval('app.seen'); end if;
        return v;
      end $$;
      create function spied(v text) returns boolean language plpgsql as
        $$ begin perform app.spy(v); return true; end $$;
      create domain watched as text check (app.spied(value)))sql");
  }

  bool seen() { return s.one("select is_called::text from app.seen") == "true"; }

  // Everything that somebody may ask about a table and its row, as a superuser.
  std::string asked(const std::string& table) {
    const auto db = must(open_database(shop.database.url()));
    std::string words;
    const auto note = [&](const std::string& verb, const auto& result) {
      if (seen()) words += verb + " runs functions of the impostor\n";
      s.run("alter sequence app.seen restart");
      if (!result.has_value() && result.error().fault == Fault::internal)
        words += verb + ": " + result.error().message + "\n";
    };
    const std::vector<std::string> key = {"1"};
    const Moment then = {Moment::Kind::change, 2};
    note("blame", blame(*db, table, key));
    note("at a row", at(*db, table, key, then));
    if (auto states = at(*db, table, then); states.has_value()) {
      auto state = (*states)->next();
      while (state.has_value() && state->has_value()) state = (*states)->next();
      note("at", state);
    }
    note("diff", diff(*db, table, key, then, {Moment::Kind::now, 0}));
    ApplyOptions dry;
    dry.dry_run = true;
    note("restore", restore(*db, table, key, then, dry));
    note("status", status(*db));
    note("doctor", doctor(*db, false));
    note("doctor --fix", doctor(*db, true));
    Nobody sink;
    VerifyOptions options;
    options.live = true;
    note("verify --live", verify(*db, options, sink));
    note("track", track(*db, table, Policy()));
    note("baseline", baseline(*db, tracked_table(*db, table).value_or(Tracked())));
    for (const std::string& call : std::vector<std::string>{
             "vestige.live_row(1, '1')", "vestige.history('" + table + "', '1')",
             "vestige.blame('" + table + "', '1')", "vestige.changes", "vestige.audit_log",
             "vestige.as_of(null::" + table + ", now())",
             "vestige.as_of_change(null::" + table + ", 2)", "vestige.baseline(1)",
             "vestige.doctor()", "vestige.troubles()", "vestige.gaps(1)"}) {
      s.error("select * from " + call);
      note(call, Result<int>(0));
    }
    return words;
  }

  PgShop shop;
  PgSession& s = shop.admin;
  PgSession o = shop.connect();
  std::string owner_ = shop.role("owner");
};

constexpr const char* kWrites =
    "insert into app.t values (1, 'a'), (2, 'b'); update app.t set x = 'c'; delete from app.t "
    "where id = 2; update app.t set x = 'd'; ";

TEST(PostgresImpostor, StandsInATablesPlace) {
  const std::map<std::string, std::string> impostors = {
      {"a view", "create view app.t as select 1 as id, app.spy('z') as x"},
      {"a materialized view",
       "create materialized view app.t as select 1 as id, app.spy('z') as x"},
      {"a view with a trigger of our name",
       "create view app.t as select 1 as id, app.spy('z') as x; create function app.nothing() "
       "returns trigger language plpgsql as 'begin return null; end'; create trigger "
       "\"0_vestige_change\" instead of update on app.t for each row execute function "
       "app.nothing()"},
      {"a table whose values are checked",
       "create table app.t (id int primary key, x app.watched); insert into app.t values (1, 'z')"},
      {"a table whose types are cast",
       "create type app.k as enum ('1'); create function app.k_int(app.k) returns int language "
       "plpgsql as $$ begin perform app.spy(''); return 1; end $$; create cast (app.k as int) with "
       "function app.k_int as implicit; create function app.k_text(app.k) returns text language "
       "plpgsql as $$ begin perform app.spy(''); return '1'; end $$; create cast (app.k as text) "
       "with function app.k_text as implicit; create table app.t (id app.k primary key, x app.k); "
       "insert into app.t values ('1', '1')"},
      {"a table that inherits",
       "create table app.t (id int primary key, x text); create table app.child (y app.watched) "
       "inherits (app.t)"},
  };
  for (const auto& [what, made] : impostors)
    for (const std::string gone :
         {"drop table app.t cascade; ", "alter table app.t rename to was; "}) {
      Watched w;
      w.s.run("create table app.t (id int primary key, x text); alter table app.t owner to " +
              w.owner_ + "; select vestige.track('app.t'); " + kWrites);
      w.o.run(gone + made);
      w.s.run("alter sequence app.seen restart");
      EXPECT_EQ(w.asked("app.t"), "") << what << " after " << gone;
    }
}

TEST(PostgresImpostor, IsAViewOfWhichRowsAreAsked) {
  Watched w;
  w.o.run("create table app.t (id int primary key, x text)");
  w.s.run(
      "select vestige.track('app.t'); insert into app.t values (1, 'a'); drop table app.t; "
      "create view app.t as select 1 as id, 'z' as x");
  EXPECT_EQ(w.s.error("select * from vestige.as_of(null::app.t, now())"),
            "run sql: as_of: app.t is not a table any more");
}

TEST(PostgresImpostor, IsTrackedWhileItIsEmpty) {
  Watched w;
  w.o.run("create table app.t (id int primary key, x app.watched, y app.watched[])");
  w.s.run("alter sequence app.seen restart; select vestige.track('app.t')");
  EXPECT_FALSE(w.seen());
  w.o.run("create table app.child () inherits (app.t); insert into app.child values (1, 'x')");
  EXPECT_FALSE(w.seen()) << "an event trigger tracks it";
}

// Who may set triggers can say that his DDL is the trail's own: neither does a view take a table's place by that, nor is
// capture switched off without a word.
TEST(PostgresImpostor, IsMadeByAnAdmin) {
  Watched w;
  w.s.run("grant vestige_admin to " + w.owner_);
  w.o.run("create table app.t (id int primary key, x text); select vestige.track('app.t')");
  w.o.run(kWrites);
  w.o.run(
      "begin; select vestige.own_ddl(true); alter table app.t rename to was; create view app.t as "
      "select id, app.spy(x) as x from app.was; select vestige.baseline_rows(1); select "
      "vestige.baseline(1); commit");
  EXPECT_FALSE(w.seen());
  EXPECT_EQ(w.s.one("select count(*)::text from vestige.change where op = 'B'"), "2")
      << "of the table that it is";
  w.o.run(
      "begin; select vestige.own_ddl(true); alter table app.was disable trigger user; insert into "
      "app.was values (7, 'unseen'); commit");
  EXPECT_EQ(w.s.one("select count(*)::text from vestige.gap where message like "
                    "'capture was switched off by %'"),
            "1");
}

// Tables that were altered where no event trigger told of it: others are compared all the same, and what cannot be read is said.
TEST(PostgresImpostor, IsTheTableItself) {
  const std::map<std::string, std::string> said = {
      {"rename column id to number", ""},
      {"rename column x to y", ""},
      {"drop column x", ""},
      {"alter column x type varchar(9)", ""},
      {"alter column x type int using 1", "x: \"d\" in the trail, 1 in the table"},
      {"alter column id type text", "id: 1 in the trail, \"1\" in the table"},
      {"drop column id",
       "its rows cannot be compared: run sql: read a row of app.t: a column of "
       "its key is gone"}};
  for (const auto& [ddl, found] : said) {
    Watched w;
    w.s.run(
        "create table app.t (id int primary key, x text); create table app.u (id int primary key, "
        "x text); select vestige.track('app.t'), vestige.track('app.u'); insert into app.u values "
        "(1, 'a'); " +
        std::string(kWrites) +
        "drop event trigger vestige_ddl_end; drop event trigger vestige_drop; drop event trigger "
        "vestige_ddl_start; alter table app.u disable trigger user; update app.u set x = 'z'; "
        "alter table app.t " +
        ddl);
    const auto db = must(open_database(w.shop.database.url()));
    Nobody sink;
    VerifyOptions options;
    options.live = true;
    must(verify(*db, options, sink));
    EXPECT_NE(sink.words.find("x: \"a\" in the trail, \"z\" in the table"), std::string::npos)
        << ddl << "\n"
        << sink.words;
    EXPECT_EQ(sink.words.find("app.t {") != std::string::npos, found.find("trail") != found.npos)
        << ddl << "\n"
        << sink.words;
    EXPECT_NE(sink.words.find(found), std::string::npos) << ddl << "\n" << sink.words;
    EXPECT_EQ(blame(*db, "app.t", {"1"}).has_value(), ddl != "drop column id") << ddl;
  }
}

// It was deleted, and came back while capture was off.
TEST(PostgresImpostor, IsARowThatCameBackUnrecorded) {
  Watched w;
  w.s.run(
      "create table app.t (id int primary key, x text); select vestige.track('app.t'); insert into "
      "app.t values (1, 'a'); delete from app.t; alter table app.t disable trigger user; insert "
      "into app.t values (1, 'b')");
  const auto db = must(open_database(w.shop.database.url()));
  const Blame blamed = must(blame(*db, "app.t", {"1"}));
  EXPECT_TRUE(blamed.exists);
  ASSERT_EQ(blamed.columns.size(), 2U);
  for (const Blamed& column : blamed.columns) EXPECT_FALSE(column.change.has_value());
  EXPECT_EQ(w.s.one("select count(change_id)::text from vestige.blame('app.t', '1')"), "0");
}

}  // namespace
}  // namespace vestige
