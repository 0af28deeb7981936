// What undoing puts back on PostgreSQL, what it leaves alone, and what it refuses. Random work: postgres_undo_random_test.cc.
#include "test/postgres_capture.h"
#include "test/tracked_shop.h"
#include "vestige/audit/revert.h"

namespace vestige {
namespace {

class Patch final : public Sink {
 public:
  Result<void> statement(const std::string& sql) override {
    text += sql + "\n";
    return {};
  }
  void refused(const Outcome& outcome) override { conflicts = outcome.conflicts; }
  std::string text;
  std::vector<Conflict> conflicts;
};

class PostgresUndo : public ::testing::Test {
 protected:
  std::string tx() { return s.one("select max(tx)::text from vestige.changes"); }
  std::string last() { return s.one("select max(id)::text from vestige.change"); }
  Result<Outcome> undo(const std::string& number, OnConflict mode = OnConflict::refuse,
                       RevertRequest request = {}) {
    request.tx = std::stoll(number);
    ApplyOptions options;
    options.on_conflict = mode;
    options.patch = &patch;
    return revert(s.db(), request, options);
  }
  std::string rows(const std::string& table) {
    return s.one("select coalesce(string_agg(t::text, ' ' order by t::text), '') from " + table +
                 " t");
  }

  PgShop shop;
  PgSession& s = shop.admin;
  Patch patch;
};

TEST_F(PostgresUndo, AConflictIsOfAColumnNotOfARow) {
  s.run(
      "create table t (id int primary key, a text, b text); insert into t values (1, 'a', 'b'), "
      "(2, 'a', 'b'); select vestige.track('t'); update t set a = 'bad', b = 'bad'");
  const std::string bad = tx();
  s.run("update t set b = 'mended' where id = 1");
  EXPECT_FALSE(undo(bad).has_value());
  ASSERT_EQ(patch.conflicts.size(), 1U);
  EXPECT_EQ(patch.conflicts[0].columns, std::vector<std::string>{"b"});
  EXPECT_EQ(patch.conflicts[0].table, "t");
  EXPECT_EQ(to_json(patch.conflicts[0].key), "{\"id\":1}");
  EXPECT_EQ(rows("t"), "(1,bad,mended) (2,bad,bad)");
  const Outcome skipped = must(undo(bad, OnConflict::skip));
  EXPECT_EQ(rows("t"), "(1,a,mended) (2,a,b)");
  EXPECT_EQ(skipped.applied, 2);
  EXPECT_EQ(skipped.skipped, 1);
  must(undo(bad, OnConflict::force));
  EXPECT_EQ(rows("t"), "(1,a,b) (2,a,b)");
  const Outcome again = must(undo(bad));
  EXPECT_EQ(again.applied, 0) << "what is as it should be is no conflict";
  EXPECT_FALSE(again.tx.has_value());
}

TEST_F(PostgresUndo, AppliesToATableARowAColumn) {
  s.run(
      "create table t (id int primary key, a int, b int); create table u (id int primary key, a "
      "int); insert into t values (1, 1, 1), (2, 1, 1); insert into u values (1, 1); select "
      "vestige.track('t'), vestige.track('u'); begin; update t set a = 2, b = 2; update u set a = "
      "2; insert into t values (3, 3, 3); commit");
  RevertRequest part;
  part.table = "t";
  part.column = "a";
  part.key = {"1"};
  must(undo(tx(), OnConflict::refuse, part));
  EXPECT_EQ(rows("t") + rows("u"), "(1,1,2) (2,2,2) (3,3,3)(1,2)");
  const std::string whole = s.one("select min(tx)::text from vestige.changes");
  part.key = {};
  const Outcome done = must(undo(whole, OnConflict::refuse, part));
  EXPECT_EQ(rows("t"), "(1,1,2) (2,1,2) (3,3,3)");
  ASSERT_EQ(done.notes.size(), 1U);
  EXPECT_NE(done.notes[0].find("left alone: only columns are undone"), std::string::npos);
  part.table = "";
  part.key = {"1"};
  EXPECT_EQ(undo(whole, OnConflict::refuse, part).error().message, "revert: a key without a table");
}

TEST_F(PostgresUndo, TakesNothingAlongThatOthersMade) {
  for (const char* action : {"cascade", "set null", "set default"}) {
    s.run(std::string("create table p (id int primary key); create table c (id int primary key, p "
                      "int references p on delete ") +
          action +
          "); select vestige.track('p'), vestige.track('c'); insert into p values (1), (2)");
    const std::string made = tx();
    s.run("insert into c values (1, 1)");
    EXPECT_EQ(s.error("select vestige.revert(" + made + ")"),
              "run sql: undo: 1 rows of public.c refer to rows of public.p that would go or "
              "change, and would "
              "be changed or deleted with them");
    EXPECT_EQ(undo(made).error().fault, Fault::denied);
    EXPECT_EQ(rows("p") + rows("c"), "(1) (2)(1,1)");
    // Together with what refers to it, or where that points elsewhere.
    s.run(
        "begin; insert into p values (3); insert into c values (3, 3); update c set p = 3 where id "
        "= 1; commit");
    EXPECT_EQ(s.error("select vestige.revert(" + tx() + ")"), "");
    EXPECT_EQ(rows("p") + rows("c"), "(1) (2)(1,1)");
    s.run("drop table c, p");
  }
}

TEST_F(PostgresUndo, FindsRowsWhoseKeyHasOtherColumnsNow) {
  s.run(
      "create table t (id bigint primary key, name text); select vestige.track('t'); insert into t "
      "values (1, 'a'), (2, 'a')");
  const std::string a = last();
  s.run("update t set name = 'b'");
  const std::string b = tx();
  s.run(
      "alter table t add uid uuid default gen_random_uuid(); alter table t drop constraint t_pkey, "
      "add primary key (uid); update t set name = 'c' where id = 1");
  const std::string c = tx();
  const std::string key = s.one("select uid::text from t where id = 1");
  Moment then;
  then.kind = Moment::Kind::change;
  then.value = std::stoll(a);
  EXPECT_EQ(must(restore(s.db(), "t", {key}, then, {})).applied, 1);
  EXPECT_EQ(s.one("select string_agg(id || name, ' ' order by id) from t"), "1a 2b");
  EXPECT_EQ(must(undo(tx())).applied, 2) << "and back";
  EXPECT_EQ(s.one("select string_agg(id || name, ' ' order by id) from t"), "1c 2b");
  EXPECT_NE(s.error("select vestige.undo_at_once(vestige.changes_of(" + b +
                    ") || vestige.changes_of(" + c + "), 'refuse', null, false, null, true)")
                .find("undo changes of t: their key has other columns in some than in others"),
            std::string::npos);
  EXPECT_EQ(s.one("select count(*)::text from vestige.undo_changes(vestige.changes_of(" + b +
                  ") || vestige.changes_of(" + c + ")) where kind = 'done'"),
            "1");
  EXPECT_EQ(s.one("select string_agg(id || name, ' ' order by id) from t"), "1a 2a");
  s.run("update t set name = 'b' where id = 1; update t set id = id + 10");
  EXPECT_EQ(s.error("select vestige.revert(" + b + ")"),
            "run sql: undo changes of public.t: their key has other columns now, and the former "
            "ones were changed since");
  const auto lost = restore(s.db(), "t", {key}, then, {});
  ASSERT_FALSE(lost.has_value());
  EXPECT_NE(lost.error().message.find("find the changes of a row of t: its key had other columns "
                                      "until change"),
            std::string::npos)
      << lost.error().message;
  s.run("alter table t drop column id; update t set name = 'd'");
  EXPECT_EQ(s.error("select vestige.revert(" + b + ")"),
            "run sql: undo changes of public.t: a column of the key that their rows had is gone");
}

TEST_F(PostgresUndo, PutsBackAnyOfTheRowsThatAreEqual) {
  s.run(
      "create table t (a int, b text, kept text default 'k'); select vestige.track('t', exclude => "
      "'{kept}'); insert into t select 1, 'x' from generate_series(1, 3); insert into t values (2, "
      "null, 'z')");
  for (const char* work :
       {"update t set b = 'y' where ctid = (select min(ctid) from t)", "update t set a = 5",
        "delete from t where a = 1", "insert into t values (1, 'x'), (1, 'x'), (2, null)",
        "begin; update t set a = a + 1; update t set a = a + 1, b = 'q'; insert into t values (9, "
        "'n'); update t set b = 'm' where a = 9; delete from t where a = 9; commit"}) {
    s.run(work);
    const Outcome done = must(undo(tx()));
    EXPECT_EQ(s.one("select string_agg(a || coalesce(b, '-'), ' ' order by a, b) from t"),
              "1x 1x 1x 2-")
        << work;
    EXPECT_NE(std::find(done.notes.begin(), done.notes.end(),
                        "public.t has no key: of rows that are equal, any is put back"),
              done.notes.end());
  }
  s.run("update t set a = 7 where a = 2");
  const std::string bad = tx();
  s.run("update t set b = 'other' where a = 7");
  EXPECT_NE(undo(bad).error().message.find("no row is as the change left it"), std::string::npos);
  EXPECT_EQ(shop.replayed("public.t"), "");
}

TEST_F(PostgresUndo, TriggersOfTheApplicationSeeTheirOwnPath) {
  s.run(
      "create schema app; create table app.total (id int primary key, n int); create table app.t "
      "(id int primary key, n int); create table app.seen (path text); create function "
      "app.counts() "
      "returns trigger language plpgsql as $f$ begin update total set n = total.n + case tg_op "
      "when "
      "'INSERT' then 1 else -1 end; insert into seen values (current_setting('search_path')); "
      "return null; end $f$; create trigger counts after insert or delete on app.t for each row "
      "execute function app.counts(); select vestige.track('app.t'), vestige.track('app.total'); "
      "set search_path = app; insert into total values (1, 0); insert into t values (1, 1), (2, "
      "2)");
  const std::string made = tx();
  s.run("select vestige.revert(" + made + ")");
  EXPECT_EQ(s.one("select n::text from total"), "0");
  EXPECT_EQ(s.one("select string_agg(distinct path, ' ') from seen"), "app");
  EXPECT_EQ(s.one("select current_setting('search_path')"), "app");
}

TEST_F(PostgresUndo, SaysWhatTriggersChangeBesides) {
  s.run(
      "create table t (id int primary key); create table log (id int primary key); insert into t "
      "values (1); select vestige.track('t'), vestige.track('log'); delete from t; create function "
      "notes() returns trigger language plpgsql as 'begin insert into public.log values (new.id); "
      "return null; end'; create trigger notes after insert on t for each row execute function "
      "notes()");
  const Outcome done = must(undo(tx()));
  EXPECT_EQ(done.notes,
            std::vector<std::string>{"log: triggers of the application changed it, too"});
}

TEST_F(PostgresUndo, HandsKeysRoundAsTheyWere) {
  s.run(
      "create table t (id int primary key, v text unique); select vestige.track('t'); insert into "
      "t values (1, 'a'), (2, "
      "'b'), "
      "(3, 'c'); begin; update t set v = 'x' where id = 1; update t set "
      "v = 'a' where id = 2; update t set v = 'b' where id = 1; update t set id = 10 where id = 3; "
      "update t set id = 3 where id = 1; update t set id = 1 where id = 10; commit");
  EXPECT_EQ(must(undo(tx())).conflicts.size(), 0U);
  EXPECT_EQ(rows("t"), "(1,a) (2,b) (3,c)");
  must(undo(tx()));
  EXPECT_EQ(rows("t"), "(1,c) (2,a) (3,b)");
  EXPECT_EQ(shop.replayed("public.t"), "");
}

// The row that others point to cannot be the first to go back: what they point with comes before it, and what is older under its
// keys after it.
TEST_F(PostgresUndo, HandsKeysRoundThatOthersPointTo) {
  s.run(
      "create table p (id int primary key, v text, up int references p on update cascade "
      "deferrable "
      "initially deferred); create table c (id int primary key, p int references p on update set "
      "null deferrable initially deferred); select vestige.track('p'); select vestige.track('c'); "
      "insert into p values (4, 'a', 4), (23, 'b', null); insert into c values (2, 4); begin; "
      "update p set id = -2 where id = 4; update p set id = 4 where id = 23; update p set id = 23 "
      "where id = -2; commit");
  EXPECT_EQ(rows("p") + " " + rows("c"), "(23,a,23) (4,b,) (2,)");
  EXPECT_EQ(must(undo(tx())).conflicts.size(), 0U);
  EXPECT_EQ(rows("p") + " " + rows("c"), "(23,b,) (4,a,4) (2,4)");
  must(undo(tx()));
  EXPECT_EQ(rows("p") + " " + rows("c"), "(23,a,23) (4,b,) (2,)");
  EXPECT_EQ(shop.replayed("public.p") + shop.replayed("public.c"), "");
}

TEST_F(PostgresUndo, RefusesWhatATriggerTakesAwayAgain) {
  s.run(
      "create table t (id int primary key); insert into t values (1); select vestige.track('t'); "
      "delete from t; create function gone() returns trigger language plpgsql as 'begin delete "
      "from "
      "t; return null; end'; create trigger gone after insert on t execute function gone()");
  EXPECT_EQ(s.error("select vestige.revert(" + tx() + ")"),
            "run sql: revert: 1 rows of public.t are not what they were");
}

// A patch is for people to run: it does the same.
TEST_F(PostgresUndo, ThePatchDoesTheSame) {
  s.run(
      "create table \"p %s\" (id int generated always as identity primary key, v numeric); create "
      "table c (a text, b int, p int references \"p %s\" on delete set null, d double precision, g "
      "int generated always as (b * 2) stored, primary key (a, b)); create table n (x text); "
      "insert "
      "into \"p %s\" (v) values (1.50), (2); insert into c values ('q''s', 1, 1, 0.1), ('\\', 2, "
      "2, "
      "'nan'); insert into n values ('e'), ('e'), (null); select vestige.track('\"p %s\"'), "
      "vestige.track('c'), vestige.track('n')");
  const auto all = [&] { return rows("\"p %s\"") + rows("c") + rows("n"); };
  for (const char* work :
       {"delete from \"p %s\" where id = 1; update c set d = d * 2, a = 'new' where b = 1",
        "insert into \"p %s\" (v) values (7); insert into c values ('z', 9, 1, 1); update c set p "
        "= "
        "2; update n set x = 'f'",
        "delete from c; delete from \"p %s\"; delete from n where x = 'e'; insert into n values "
        "('g')"}) {
    const std::string before = all();
    s.run(std::string("begin; ") + work + "; commit");
    const std::string after = all();
    ApplyOptions options;
    options.dry_run = true;
    Patch dry;
    options.patch = &dry;
    RevertRequest request;
    request.tx = std::stoll(tx());
    must(revert(s.db(), request, options));
    EXPECT_EQ(all(), after);
    s.run("begin; " + dry.text + "commit");
    EXPECT_EQ(all(), before) << dry.text;
  }
}

}  // namespace
}  // namespace vestige
