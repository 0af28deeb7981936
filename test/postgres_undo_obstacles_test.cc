// What stands in the way of an undo (rules, triggers that refuse or alter, constraints, identities, policies): for every kind of
// change, and every way to undo it, what stood before stands again, or it is said why not, and nothing has changed.
#include <fmt/ranges.h>

#include "test/postgres_capture.h"
#include "vestige/audit/revert.h"

namespace vestige {
namespace {

// What a transaction does to t, which has the rows (1,a,1) (2,b,2) (3,c,3).
constexpr const char* kWork[] = {
    "insert into t (id, a, n) overriding system value values (9, 'n', 9)",
    "update t set a = 'x', n = 7 where id = 1",
    "delete from t where id = 2",
    "update t set id = 8 where id = 3",
    ("insert into t (id, a, n) overriding system value values (9, 'n', 9); update t set a = 'x', n "
     "= 7 where id = 1; delete from t where id = 2"),
    ("update t set n = -1 where id = 1; update t set n = 1 where id = 2; update t set n = 2 where "
     "id = 1"),
};

// early, late: what becomes of undoing each of these, where the obstacle was there already, and where it came afterwards:
// e(xact), n(oted: but for what a trigger insists on, or is gone), r(efused); - nothing was recorded, or the obstacle refused the
// work; a space: not tried
// says: what each refusal and each note tells
struct Obstacle {
  const char* raised;
  const char* early;
  const char* late;
  const char* says;
  const char* columns = "id int primary key, a text, n int";
  const char* without = "";  // a column that is not compared
};

#define TRIGGER(when, body)                                                 \
  "create function f() returns trigger language plpgsql as $f$ begin " body \
  " end $f$; create trigger "                                               \
  "hinders " when " on t for each row execute function f()"

const Obstacle kObstacles[] = {
    {"create rule r as on delete to t do instead nothing", "re-er ", "r     ",
     "rule r of public.t makes something else of its DELETE"},
    {"create rule r as on delete to t do instead update t set n = -1 where id = old.id", "  e re",
     "    r ", "of its DELETE"},
    {"create rule r as on delete to t do instead update t set n = -1 where id = old.id returning *",
     "  e r ", "r     ", "of its DELETE"},
    {"create rule r as on delete to t do also insert into log values (old.id)", "r e   ", "      ",
     "of its DELETE"},
    {"create rule r as on delete to t where old.n > 5 do instead nothing", "r e   ", "    r ",
     "of its DELETE"},
    {"create rule r as on update to t do instead nothing", "      ", "er  r ", "of its UPDATE"},
    {"create rule r as on update to t do also insert into log values (old.id)", " r    ", "      ",
     "of its UPDATE"},
    {"create rule r as on insert to t do instead nothing", "- r   ", "e r r ", "of its INSERT"},
    {"create rule r as on insert to t do instead insert into other values (new.id, new.a, new.n) "
     "returning id, a, n",
     "      ", "  r   ", "of its INSERT"},
    {"create rule r as on delete to t do instead nothing; alter table t disable rule r", "      ",
     "e     ", ""},
    {TRIGGER("before delete", "update t set n = -1 where id = old.id; return null;"), "r e r ",
     "r  e  ", "1 changes of public.t were not undone"},
    {TRIGGER("before update", "return null;"), "      ", " r  rr",
     "changes of public.t were not undone"},
    {TRIGGER("before update", "return old;"), "      ", " r  nr", "public.t"},
    {TRIGGER("before insert", "return null;"), "  r   ", "e r r ",
     "1 changes of public.t were not undone"},
    {TRIGGER("before insert", "new.a := new.a || '!'; return new;"), "e e e ", "  e e ", ""},
    {TRIGGER("before update", "new.a := new.a || '!'; return new;"), " ne   ", " n nn ",
     "in a: a trigger of the application changes them"},
    {TRIGGER("before insert or update", "new.n := 5; return new;"), " nn   ", "  n n ",
     "in n: a trigger of the application changes them"},
    {TRIGGER("before insert", "new.id := new.id + 100; return new;"), "e r   ", "  r r ",
     "1 rows of public.t are not what they were"},
    {TRIGGER("before update", "new.id := new.id + 100; return new;"), " r    ", " r rr ",
     "rows of public.t are not what they were"},
    {TRIGGER("before insert or update or delete", "raise exception 'not on Sundays';"), "      ",
     "rrr   ", "not on Sundays"},
    {TRIGGER("after insert or update", "delete from t where id = new.id; return null;"), " r    ",
     "errr  ", "rows of public.t are not what they were"},
    {TRIGGER("after delete", "insert into t (id, a, n) values (old.id, 'back', 0); return null;"),
     "r e   ", "re er ", "1 rows of public.t are not what they were"},
    {"create function f() returns trigger language plpgsql as $f$ begin raise exception 'not on "
     "Sundays'; end $f$; create "
     "constraint trigger hinders after insert or update or delete on t deferrable initially "
     "deferred for each row execute "
     "function f()",
     "      ", "rrr   ", "not on Sundays"},
    {"create trigger hinders before update on t for each row execute function "
     "suppress_redundant_updates_trigger()",
     " e    ", "    ee", ""},
    {"alter table t add s int generated always as identity", "e e  e", "reee  ",
     "s changed since the row was inserted"},
    {"alter table t alter id add generated always as identity", "e  -e ", "  eree",
     "id is generated always as identity"},
    {"alter table t alter id drop identity", "e  eee", "ee -e ", "",
     "id int generated always as identity (start 20) primary key, a text, n int"},
    {"alter table t add check (a not in ('a', 'b', 'c')) not valid", "      ", "errr r",
     "violates check constraint"},
    {"alter table t add must text; update t set must = 'x'; alter table t alter must set not null",
     "  e   ", "rere  ", "must"},
    {"alter table t add s text not null default 'new'", "e e   ", "eee e ", ""},
    {"alter table t add s text not null default 'new'; update t set s = 'old' where id in (1, 9)",
     "ee    ", "re  r ", "s changed since the row was inserted"},
    {"alter table t drop a", "      ", "ennen ", "t.a cannot be put back: the column is gone",
     "id int primary key, a text, n int", "a"},
    {"alter table t alter a type int using 2", "      ", "  r   ",
     "undo: a recorded value does not fit its column any more: "},
    {"alter table t alter a type int using 1", "      ", "rrre  ", "a",
     "id int primary key, a text, n int", "a"},
    {"alter table t drop n; alter table t add n int generated always as (id * 2) stored", "      ",
     "enn  n", "t.n cannot be put back: another column has this name now",
     "id int primary key, a text, n int", "n"},
    {"alter table t add exclude using btree (n with =)", "     e", "  e  e", ""},
    {"alter table t add exclude using btree (n with =) deferrable", "     e", "     e", ""},
    {"alter table t add unique (n)", "     e", "  e  e", ""},
    {"alter table t add unique (n) deferrable initially deferred", "     e", "     e", ""},
    {"create table c (id int references t); insert into c select id from t", "e     ", "reer  ",
     "violates foreign key constraint"},
    {"create table c (id int references t on delete cascade on update set null); insert into c "
     "select id from t",
     "e     ", "reer  ", "refer to rows of public.t"},
    {"alter table t detach partition whole", "      ", " rrr  ", "row",
     "id int primary key, a text, n int) partition by range (id"},
};

class PostgresUndoObstacles : public ::testing::Test {
 protected:
  std::string rows() {
    return s.one(
        "select coalesce(string_agg(concat_ws(',', x ->> 'id', x ->> 'a', x ->> 'n'), ' ' order by "
        "(x ->> "
        "'id')::int), '') from (select to_jsonb(t) - '" +
        without + "' as x from t) t");
  }
  // What became of it: what was said must tell why it is not as it was.
  char judged(bool refused, const std::string& said, const std::string& before,
              const std::string& after, const Obstacle& obstacle) {
    const std::string now = rows();
    if (refused) {
      EXPECT_EQ(now, after) << said;
    } else if (now == before &&
               (*obstacle.says == '\0' || said.find(obstacle.says) == std::string::npos)) {
      return 'e';
    }
    EXPECT_NE(said.find(obstacle.says), std::string::npos) << said;
    return refused ? 'r' : 'n';
  }
  // The same by SQL and by the library, whose dry run foretells it.
  char undone(const std::string& tx, const std::string& before, const Obstacle& obstacle,
              bool foretold) {
    const std::string after = rows();
    s.run("begin; savepoint a");
    const std::string error = s.error("select vestige.revert(" + tx + ")");
    if (!error.empty()) {
      s.run("rollback to a");
      judged(true, error, before, after, obstacle);
    }
    const std::string by_sql = rows();
    s.run("rollback");
    RevertRequest request;
    request.tx = std::stoll(tx);
    ApplyOptions options;
    if (foretold) {
      options.dry_run = true;
      EXPECT_EQ(revert(s.db(), request, options).has_value(), error.empty());
      EXPECT_EQ(rows(), after);
      options.dry_run = false;
    }
    const auto done = revert(s.db(), request, options);
    EXPECT_EQ(error.empty(), done.has_value());
    if (error.empty()) {
      EXPECT_EQ(rows(), by_sql);
    }
    return judged(
        !done.has_value(),
        done.has_value() ? fmt::format("{}", fmt::join(done->notes, "; ")) : done.error().message,
        before, after, obstacle);
  }
  char tried(const Obstacle& obstacle, bool early, const char* work) {
    without = obstacle.without;
    s.run("create table t (" + std::string(obstacle.columns) + ")");
    if (std::string(obstacle.columns).find("partition") != std::string::npos)
      s.run("create table whole partition of t default");
    s.run(
        "insert into t (id, a, n) overriding system value values (1, 'a', 1), (2, 'b', 2), (3, "
        "'c', "
        "3); select vestige.track('t')");
    const std::string last = s.one("select coalesce(max(id), 0)::text from vestige.change");
    if (early) s.run(obstacle.raised);
    const std::string before = rows();
    std::string hindered = s.error(std::string("begin; ") + work + "; commit");
    if (!hindered.empty()) s.run("rollback");
    const std::string tx = s.one("select max(tx)::text from vestige.changes where id > " + last);
    if (!early) s.run(obstacle.raised);
    const char became =
        tx.empty() || !hindered.empty() ? '-' : undone(tx, before, obstacle, work == kWork[4]);
    s.run("drop table if exists t, c, whole cascade; drop function if exists f() cascade");
    return became;
  }

  PgShop shop;
  PgSession& s = shop.admin;
  std::string without;
};

TEST_F(PostgresUndoObstacles, AreOvercomeOrNamed) {
  s.run("create table log (x int); create table other (id int, a text, n int)");
  for (const Obstacle& obstacle : kObstacles)
    for (const bool early : {true, false}) {
      const std::string expected = early ? obstacle.early : obstacle.late;
      std::string became(expected.size(), ' ');
      for (std::size_t i = 0; i < expected.size(); ++i) {
        SCOPED_TRACE(
            fmt::format("{}: {}, {}", obstacle.raised, early ? "early" : "late", kWork[i]));
        if (expected[i] != ' ') became[i] = tried(obstacle, early, kWork[i]);
      }
      EXPECT_EQ(became, expected) << obstacle.raised << (early ? ", early" : ", late");
    }
}

// Who undoes must see and write the rows: what a policy hides, or a right that is missing, is never taken for done.
TEST_F(PostgresUndoObstacles, WhatCannotBeSeenIsNotTakenForDone) {
  const std::string ann = shop.role("ann");
  s.run("grant vestige_admin to " + ann);
  struct Bound {
    const char* raised;
    const char* became;
    const char* says;
  };
  const Bound bounds[] = {
      {"create policy all_of_them on t using (true)", "eeeee", ""},
      {"create policy few on t using (n not in (7, 8, 9))", "rreer", "row-level security"},
      {"create policy seen on t for select using (true)", "rrrrr", "row-level security"},
      {"create policy seen on t for select using (true); create policy put on t for update using "
       "(n > 100)",
       "rrrrr", "row-level"},
      {"create policy a on t for all using (true) with check (a <> 'a' and a <> 'b' and a <> 'c')",
       "errrr", "row-level security"},
      {"alter table t disable row level security; create table c (id int references t on delete "
       "cascade); insert into c values (1); "
       "alter table c enable row level security; grant all on c to public",
       "reeer",
       "rows of public.c refer to rows of public.t that would go or change, and cannot be seen by"},
      {"alter table t disable row level security; create table c (id int references t on delete "
       "cascade); insert into c values (1)",
       "reeer", "cannot be seen by"},
      {"alter table t disable row level security; revoke insert on t from public", "eerer",
       "permission denied"},
      {"alter table t disable row level security; revoke update on t from public; grant update (n) "
       "on t to public",
       "ererr", ""},
  };
  for (const Bound& bound : bounds) {
    std::string became;
    for (std::size_t i = 0; i < 5; ++i) {
      SCOPED_TRACE(fmt::format("{}: {}", bound.raised, kWork[i]));
      s.run(
          "create table t (id int primary key, a text, n int); insert into t values (1, 'a', 1), "
          "(2, 'b', 2), (3, 'c', 3); "
          "grant all on t to public; alter table t enable row level security; select "
          "vestige.track('t')");
      const std::string before = rows();
      s.run(std::string("begin; ") + kWork[i] + "; commit");
      s.run(bound.raised);
      const std::string after = rows();
      PgSession his = shop.connect(ann);
      const std::string error = his.error("select vestige.revert(" +
                                          s.one("select max(tx)::text from vestige.changes") + ")");
      became += rows() == before ? 'e' : 'r';
      if (became.back() == 'r') {
        EXPECT_EQ(rows(), after);
        EXPECT_TRUE(error.find(bound.says) != std::string::npos ||
                    error.find("1 changes of public.t were not undone") != std::string::npos)
            << error;
      }
      EXPECT_EQ(error.empty(), became.back() == 'e') << error;
      s.run("drop table if exists t, c cascade");
    }
    EXPECT_EQ(became, bound.became) << bound.raised;
  }
}

}  // namespace
}  // namespace vestige
