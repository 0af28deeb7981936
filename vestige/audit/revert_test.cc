// restore and revert: rows become exactly what they were, conflicts are seen, nothing else changes.
#include "vestige/audit/revert.h"

#include <random>
#include <set>

#include "test/tracked_shop.h"
#include "vestige/audit/exec.h"

namespace vestige {
namespace {

class Patch final : public Sink {
 public:
  Result<void> statement(const std::string& sql) override {
    text += sql + "\n";
    return {};
  }
  std::string text;
};

RevertRequest of_tx(std::int64_t tx) {
  RevertRequest request;
  request.tx = tx;
  return request;
}

Context because(const std::string& actor) {
  Context context;
  context.set("actor", actor);
  return context;
}

// Everything that .dump would show of the application's tables, with storage classes and rowids.
std::string contents(Shop& shop, const std::vector<std::string>& tables) {
  std::string out;
  for (const std::string& table : tables) {
    auto rows = must(shop.db().query("select * from " + table + " order by 1, 2"));
    while (must(rows->next()) == Step::row)
      for (int i = 0; i < rows->columns(); ++i)
        out += to_json(rows->value(i)) + (i == 0 ? "|" : " ");
    out += "\n";
  }
  return out;
}

TEST(Revert, UndoesEveryTransactionNewestFirstToTheStart) {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    Shop shop;
    shop.run("pragma synchronous = off; pragma journal_mode = memory");
    shop.run(
        "create table p (id integer primary key, name unique, price);"
        "create table k (a text, b integer, p references p (id) on delete cascade on update "
        "cascade,"
        "  twice as (b * 2) stored, primary key (a, b)) without rowid;"
        "create table n (note);"
        "create trigger touched after update of price on p begin insert into n values (new.name); "
        "end;"
        "insert into p values (1, 'a', 1.5), (2, 'b', x'00'), (3, 'c', null);"
        "insert into k (a, b, p) values ('x', 1, 1), ('x', 2, 1), ('y', 1, 2); insert into n "
        "values ('old')");
    shop.with_trail();
    for (const char* table : {"p", "k", "n"}) shop.track(table);
    const std::vector<std::string> tables = {"p", "k", "(select rowid, note from n)"};
    const std::string start = contents(shop, tables);
    std::mt19937 random(seed);
    const std::vector<std::string> statements = {
        "insert into p (name, price) values ('n' || ?1, ?2)",
        "insert or replace into p (id, name, price) values (?1 % 4, 'r' || ?2, ?1)",
        "update p set price = ?2 where id = ?1 % 5",
        "update p set id = ?2 + 10 where id = ?1 % 4",
        "update or replace p set name = 'a' where id = ?1 % 5",
        "delete from p where id = ?1 % 6",
        "insert or ignore into k (a, b, p) values ('z', ?1, (select max(id) from p))",
        "update k set b = b + ?2 where a = 'x'",
        "delete from k where b = ?1 % 3",
        "delete from n",
    };
    for (int i = 0; i < 40; ++i) {
      const std::string& sql = statements[random() % statements.size()];
      Params values = {static_cast<std::int64_t>(random() % 50)};
      if (sql.find("?2") != std::string::npos)
        values.emplace_back(static_cast<std::int64_t>(random() % 50));
      if (sql.find("?1") == std::string::npos) values.clear();
      (void)shop.db().run(sql, values);  // some break a constraint: that is part of life
    }
    std::set<std::int64_t, std::greater<>> txs;
    auto changes = must(read_changes(shop.db(), {}));
    while (auto change = must(changes->next())) txs.insert(change->tx);
    changes.reset();
    for (const std::int64_t tx : txs) {
      const auto done = revert(shop.db(), of_tx(tx), {});
      ASSERT_TRUE(done.has_value()) << done.error().message;
      EXPECT_TRUE(done->conflicts.empty());
    }
    EXPECT_EQ(contents(shop, tables), start);
  }
}

TEST(Revert, IsRecordedAndCanBeRevertedItself) {
  Shop shop;
  shop.run("create table t (id integer primary key, n); insert into t values (1, 1)");
  shop.with_trail().track("t");
  must(exec(shop.db(), "update t set n = 2; insert into t values (2, 2)", because("ann"), nullptr));
  ApplyOptions options;
  options.context = because("bob");
  const Outcome done = must(revert(shop.db(), of_tx(1), options));
  EXPECT_EQ(done.applied, 2);
  ASSERT_EQ(done.tx, 3);
  EXPECT_EQ(shop.rows("select * from t"), "1|1\n");
  Selection selection;
  selection.ids = {3};
  const Change change = *must(must(read_changes(shop.db(), selection))->next());
  EXPECT_EQ(to_json(change.context), R"({"actor":"bob","reason":"revert of tx 1"})");
  must(revert(shop.db(), of_tx(3), {}));
  EXPECT_EQ(shop.rows("select * from t"), "1|2\n2|2\n");
}

TEST(Revert, RefusesSkipsOrForcesARowThatChangedSince) {
  Shop shop;
  shop.run(
      "create table t (id integer primary key, n, m); insert into t values (1, 1, 1), (2, 1, 1)");
  shop.with_trail().track("t");
  must(exec(shop.db(), "update t set n = 2", {}, nullptr));
  shop.run("update t set n = 3 where id = 1; update t set m = 9 where id = 2");
  const Error error = error_of(revert(shop.db(), of_tx(1), {}));
  EXPECT_EQ(error.fault, Fault::conflict);
  EXPECT_EQ(
      error.message,
      "revert of tx 1: 1 of its changes cannot be undone, nothing was changed: change 1 (t id=1): "
      "n has changed since: 2 expected, 3 found");
  EXPECT_EQ(shop.rows("select * from t"), "1|3|1\n2|2|9\n") << "nothing was changed";
  ApplyOptions options;
  options.on_conflict = OnConflict::skip;
  const Outcome skipped = must(revert(shop.db(), of_tx(1), options));
  EXPECT_EQ(skipped.applied, 1);
  EXPECT_EQ(skipped.skipped, 1);
  EXPECT_EQ(skipped.conflicts[0].columns, std::vector<std::string>{"n"});
  EXPECT_EQ(shop.rows("select * from t"), "1|3|1\n2|1|9\n");
  options.on_conflict = OnConflict::force;
  must(revert(shop.db(), of_tx(1), options));
  EXPECT_EQ(shop.rows("select * from t"), "1|1|1\n2|1|9\n");
}

TEST(Revert, SaysThatARowIsGoneAndCannotForceIt) {
  Shop shop;
  shop.run("create table t (id integer primary key, n); insert into t values (1, 1)");
  shop.with_trail().track("t");
  shop.run("update t set n = 2; delete from t");
  ApplyOptions options;
  options.on_conflict = OnConflict::force;
  const Error error = error_of(revert(shop.db(), of_tx(1), options));
  EXPECT_NE(error.message.find("the row is gone"), std::string::npos);
  EXPECT_NE(error.hint.find("--skip-conflicts"), std::string::npos);
}

TEST(Revert, RefusesToBreakAForeignKey) {
  Shop shop;
  shop.run(
      "create table p (id integer primary key); create table k (id integer primary key, p "
      "references p (id));"
      "insert into p values (0)");
  shop.with_trail();
  shop.track("p");
  shop.track("k");
  shop.run("insert into p values (1); insert into k values (1, 1)");
  const Error error = error_of(revert(shop.db(), of_tx(1), {}));
  EXPECT_EQ(error.message,
            "revert of tx 1: a foreign key would be broken: k refers to p, nothing was changed; "
            "these would refer to no row: id=1 (p=1)");
  EXPECT_EQ(shop.rows("select count(*) from p"), "2\n");
  RevertRequest both;
  both.changes = {1, 2};
  must(revert(shop.db(), both, {}));
  EXPECT_EQ(shop.rows("select count(*) from p"), "1\n");
}

TEST(Revert, WantsOneWayOfChoosing) {
  Shop shop;
  shop.with_trail();
  EXPECT_EQ(error_of(revert(shop.db(), {}, {})).message, "revert: say which changes, in one way");
  RevertRequest request;
  request.who = {"ann"};
  EXPECT_EQ(error_of(revert(shop.db(), request, {})).message, "revert: --actor without --since");
  EXPECT_EQ(error_of(revert(shop.db(), of_tx(7), {})).message, "revert of tx 7: no such changes");
}

TEST(Revert, ByActorLeavesTheChangesOfOthers) {
  Shop shop;
  shop.run("create table t (id integer primary key, n, m); insert into t values (1, 1, 1)");
  shop.with_trail().track("t");
  must(exec(shop.db(), "update t set n = 2", because("ann"), nullptr));
  must(exec(shop.db(), "update t set m = 2", because("bob"), nullptr));
  RevertRequest request;
  request.who = {"ann"};
  request.since = 0;
  EXPECT_EQ(must(revert(shop.db(), request, {})).applied, 1);
  EXPECT_EQ(shop.rows("select * from t"), "1|1|2\n");
}

TEST(Revert, SaysWhenTheTrailLostATriggerItNeeds) {
  Shop shop;
  shop.run("create table t (id integer primary key, n); insert into t values (1, 1)");
  shop.with_trail().track("t");
  shop.run("update t set n = 2; drop trigger vestige_change_run");
  EXPECT_EQ(error_of(revert(shop.db(), of_tx(1), {})).message,
            "read the trail: its trigger vestige_change_run is missing");
}

TEST(Revert, KeepsTheRowIndexWhole) {
  Shop shop;
  shop.run("create table t (id integer primary key, n)");
  shop.with_trail().track("t");
  must(exec(shop.db(),
            "with recursive i (n) as (select 1 union all select n + 1 from i where n < 3000)"
            " insert into t select n, n from i",
            {}, nullptr));
  must(revert(shop.db(), of_tx(1), {}));
  EXPECT_EQ(shop.rows("select count(*) from t"), "0\n");
  Selection selection;
  selection.table = 1;
  selection.key = {{"id", std::int64_t{1500}}};
  auto changes = must(read_changes(shop.db(), selection));
  EXPECT_EQ(must(changes->next())->op, Op::remove);
  EXPECT_EQ(must(changes->next())->op, Op::insert);
}

TEST(Revert, FindsRowsWhoseKeyHasOtherColumnsNow) {
  Shop shop;
  shop.run(
      "create table t (id integer primary key, uid text not null unique, n); insert into t values "
      "(1, 'a', 1), (2, 'b', 1)");
  shop.with_trail().track("t");
  shop.run("update t set n = 2");
  const std::int64_t before = shop.last_change();
  shop.track("t", with_key({"uid"}));
  shop.run("update t set n = 3 where id = 2");
  EXPECT_EQ(
      error_of(restore(shop.db(), "t", {"b"}, Moment{Moment::Kind::time, 0}, {})).message,
      "restore of t uid=b to 1970-01-01T00:00:00.000000Z: the key of t had other columns until "
      "change 2, and it cannot be told which row it was");
  EXPECT_EQ(must(restore(shop.db(), "t", {"b"}, Moment{Moment::Kind::change, before}, {})).applied,
            1);
  RevertRequest request;
  request.changes = {1, 2};
  const Outcome done = must(revert(shop.db(), request, {}));
  EXPECT_EQ(shop.rows("select * from t"), "1|a|1\n2|b|1\n");
  EXPECT_FALSE(done.notes.empty());
  shop.run("update t set n = 2; update t set id = id + 1 where id = 2");
  EXPECT_NE(error_of(revert(shop.db(), request, {})).message.find("its key has other columns now"),
            std::string::npos);
  EXPECT_EQ(shop.rows("select * from t"), "1|a|2\n3|b|2\n");
}

TEST(Revert, PutsBackAnyOfTheRowsThatAreEqual) {
  Shop shop;
  shop.run("create table t (a, b); insert into t values (1, 1), (1, 1)");
  shop.with_trail().track("t");
  shop.run("insert into t values (1, 1)");
  shop.run("delete from t where rowid = 3; insert into t (rowid, a, b) values (9, 1, 1)");
  RevertRequest request;
  request.changes = {1};
  const Outcome done = must(revert(shop.db(), request, {}));
  EXPECT_EQ(done.applied, 1);
  EXPECT_EQ(done.notes,
            std::vector<std::string>{"t has no key: of rows that are equal, any is put back"});
  EXPECT_EQ(shop.rows("select count(*) from t"), "2\n");
}

TEST(Restore, PutsBackARowThatMovedAndOneThatWasDeleted) {
  Shop shop;
  shop.run(
      "create table t (id integer primary key, n, s); insert into t values (1, 1, 'a'), (2, 2, "
      "'b')");
  shop.with_trail().track("t");
  shop.run(
      "update t set n = 5 where id = 1; update t set id = 7 where id = 1; delete from t where id = "
      "2");
  ApplyOptions options;
  Patch patch;
  options.patch = &patch;
  options.dry_run = true;
  must(restore(shop.db(), "t", {"7"}, Moment{Moment::Kind::change, 1}, options));
  EXPECT_EQ(patch.text, "update \"t\" set \"id\" = 1 where \"id\" is 7;\n");
  EXPECT_EQ(shop.last_change(), 3) << "a dry run changes nothing";
  options = {};
  must(restore(shop.db(), "t", {"7"}, Moment{Moment::Kind::time, 0}, options));
  must(restore(shop.db(), "t", {"2"}, Moment{Moment::Kind::change, 1}, options));
  EXPECT_EQ(shop.rows("select * from t"), "1|1|a\n2|2|b\n");
  EXPECT_EQ(must(restore(shop.db(), "t", {"2"}, Moment{}, options)).applied, 0);
  EXPECT_EQ(error_of(restore(shop.db(), "t", {"99"}, Moment{}, options)).message,
            "restore of t id=99 to now: there was no such row then, and there is none now");
  EXPECT_EQ(
      error_of(restore(shop.db(), "t", {"1"}, Moment{Moment::Kind::change, 99}, options)).message,
      "find change 99: no such change");
}

TEST(Restore, LeavesExcludedColumnsAloneAndSaysSo) {
  Shop shop;
  shop.run(
      "create table t (id integer primary key, n, secret default 's', total as (n + 1)); insert "
      "into t values (1, 1, 'x')");
  shop.with_trail().track("t", excluding({"secret"}));
  shop.run("update t set n = 2, secret = 'y'; delete from t; insert into t values (1, 9, 'z')");
  const Outcome done = must(restore(shop.db(), "t", {"1"}, Moment{Moment::Kind::change, 1}, {}));
  EXPECT_EQ(shop.rows("select id, n, secret, total from t"), "1|2|z|3\n");
  ASSERT_EQ(done.notes.size(), 1U);
  EXPECT_EQ(done.notes[0],
            "t: column secret is not recorded, it cannot be restored and is left as it is");
}

TEST(Restore, ChangesNothingWhenAConstraintRefuses) {
  Shop shop;
  shop.run("create table t (id integer primary key, n unique); insert into t values (1, 1)");
  shop.with_trail().track("t");
  shop.run("update t set n = 2; insert into t values (2, 1)");
  EXPECT_EQ(error_of(restore(shop.db(), "t", {"1"}, Moment{Moment::Kind::time, 0}, {})).fault,
            Fault::denied);
  EXPECT_EQ(shop.rows("select * from t"), "1|2\n2|1\n");
  EXPECT_EQ(shop.last_change(), 2);
  // The connection is as it was: triggers fire, foreign keys are on.
  shop.run("update t set n = 3 where id = 1");
  EXPECT_EQ(shop.last_change(), 3);
}

}  // namespace
}  // namespace vestige
