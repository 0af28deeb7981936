// at, diff and blame against what the table really was: snapshots taken between random statements.
#include "vestige/audit/at.h"

#include <map>
#include <random>

#include "test/diff_twin.h"
#include "vestige/audit/blame.h"
#include "vestige/trail/row_history.h"

namespace vestige {
namespace {

using Snapshot = std::map<std::string, std::string>;  // key → row, as canonical JSON

std::string sorted_json(const Row& row) {
  std::map<std::string, std::string> columns;
  for (const Field& field : row) columns[field.name] = to_json(field.value);
  std::string out;
  for (const auto& [name, value] : columns) out += name + "=" + value + " ";
  return out;
}

Snapshot snapshot(Database& db, const Tracked& table) {
  Snapshot out;
  auto rows = must(db.query("select * from " + db.quote_name(table.name)));
  while (must(rows->next()) == Step::row) {
    Row row;
    for (int i = 0; i < rows->columns(); ++i) row.push_back({rows->name(i), rows->value(i)});
    out[key_json(table, row)] = sorted_json(row);
  }
  return out;
}

Snapshot table_at(Database& db, const Tracked& table, const Moment& moment) {
  Snapshot out;
  auto states = must(at(db, table.name, moment));
  while (auto state = must(states->next())) {
    EXPECT_FALSE(out.contains(key_json(table, *state))) << "a row twice: " << to_json(*state);
    out[key_json(table, *state)] = sorted_json(*state);
  }
  return out;
}

struct Then {
  std::int64_t change;
  Snapshot rows;
};

// Random inserts, updates, deletes, changed keys and replaces; a snapshot after each.
std::vector<Then> live(Shop& shop, const Tracked& table, const std::string& name, unsigned seed,
                       int count) {
  std::mt19937 random(seed);
  const auto any = [&](int most) {
    return static_cast<std::int64_t>(random() % static_cast<unsigned>(most));
  };
  std::vector<Then> out;
  for (int i = 0; i < count; ++i) {
    static const std::vector<std::string> kStatements = {
        "insert into {} (a, b, c) values (?1, ?2, ?3)",
        "update {} set c = ?3 where a = ?1 or b = ?2",
        "update {} set a = ?2, b = b + ?1 where a = ?3 % 9",
        "delete from {} where a = ?1 and b <= ?2 and ?3 > 300",
        "insert or replace into {} (a, b, c) values (?1, ?2, ?3)",
        "update or replace {} set b = ?2 where a = ?1 and ?3 > 0",
    };
    std::string sql = kStatements[static_cast<std::size_t>(any(6))];
    sql.replace(sql.find("{}"), 2, name);
    const auto done = shop.db().run(sql, {any(9), any(9), any(1000)});
    if (!done.has_value()) {
      EXPECT_EQ(done.error().fault, Fault::denied) << done.error().message;
    }
    out.push_back({shop.last_change(), snapshot(shop.db(), table)});
  }
  return out;
}

class AtAgainstSnapshots : public testing::TestWithParam<const char*> {};

TEST_P(AtAgainstSnapshots, EveryTableAndRowIsWhatItWas) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    Shop shop;
    shop.run("pragma synchronous = off; pragma journal_mode = memory");
    shop.run(GetParam());
    shop.with_trail();
    shop.run(
        "insert into t (a, b, c) values (1, 1, 'x'), (2, 2, 2.5), (3, 3, x'00ff'), (4, 4, null)");
    const Tracked table = shop.track("t");
    const Snapshot start = snapshot(shop.db(), table);
    const auto history = live(shop, table, "t", seed, 60);
    for (const Then& then : history) {
      if (then.change == 0) continue;
      const Moment moment{Moment::Kind::change, then.change};
      ASSERT_EQ(table_at(shop.db(), table, moment), then.rows) << "at change " << then.change;
    }
    EXPECT_EQ(table_at(shop.db(), table, Moment{Moment::Kind::time, 0}), start);
    EXPECT_EQ(table_at(shop.db(), table, Moment{}), snapshot(shop.db(), table));
    // What differs between two moments is what differs between two tables.
    for (std::size_t i = 0; i < history.size(); i += 5) {
      const Moment from{Moment::Kind::change, history[i].change};
      const Moment to{Moment::Kind::change, history[(i * 7 + 3) % history.size()].change};
      EXPECT_EQ(told_differences(shop.db(), "t", from, to),
                twin_differences(shop.db(), "t", from, to))
          << from.value << " to " << to.value;
    }
    // One row at a time says the same as the table.
    for (std::size_t i = 0; i < history.size(); i += 7) {
      const Then& then = history[i];
      for (const auto& [key, row] : then.rows) {
        const State state =
            must(state_of(shop.db(), table, {must(row_from_json(key)), std::nullopt}, then.change));
        ASSERT_TRUE(state.has_value()) << key << " at " << then.change;
        EXPECT_EQ(sorted_json(*state), row);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Tables, AtAgainstSnapshots,
    testing::Values("create table t (a integer primary key, b unique, c)",
                    "create table t (a, b, c, primary key (a, b))",
                    "create table t (a, b, c, primary key (b, a)) without rowid",
                    "create table t (c, a text primary key, b integer)",
                    "create table t (a real primary key, b, c) without rowid"));

TEST(At, GivesRowsInKeyOrder) {
  Shop shop;
  shop.run("create table t (id integer primary key, n)");
  shop.with_trail().track("t");
  shop.run(
      "insert into t values (10, 0), (9, 0), (2, 0); delete from t where id = 9; insert into t "
      "values (1, 1)");
  auto states = must(at(shop.db(), "t", Moment{Moment::Kind::change, 3}));
  std::string ids;
  while (auto state = must(states->next())) ids += to_json(*state);
  EXPECT_EQ(ids, R"({"id":2,"n":0}{"id":9,"n":0}{"id":10,"n":0})");
}

TEST(At, GivesRowsInTheOrderOfTheKeysCollation) {
  for (const char* key :
       {"a text collate nocase primary key, b", "a text collate nocase, b, primary key (a, b)"})
    for (const char* encoding : {"UTF-8", "UTF-16le"}) {
      SCOPED_TRACE(std::string(key) + encoding);
      Shop shop;
      shop.run(fmt::format("pragma encoding = '{}'; create table t (n, {})", encoding, key));
      shop.run(
          "insert into t select 0, v, 1 from (select 'b' as v union select 'A' union select"
          " 'C' union select 'd' union select 'E')");
      shop.with_trail().track("t");
      shop.run(
          "update t set n = 1 where a = 'B'; delete from t where a = 'c'; insert into t values"
          " (1, 'bb', 1); update t set a = 'D' where a = 'd'; update t set a = 'aa' where a = 'e'");
      auto states = must(at(shop.db(), "t", Moment{Moment::Kind::time, 0}));
      std::string rows;
      while (auto state = must(states->next()))
        rows += to_display(*find(*state, "a")) + to_display(*find(*state, "n")) + " ";
      EXPECT_EQ(rows, "A0 b0 C0 d0 E0 ");
    }
}

TEST(At, RefusesATableWithoutAKey) {
  Shop shop;
  shop.run("create table t (n)");
  shop.with_trail().track("t");
  const Error error = error_of(at(shop.db(), "t", Moment{}));
  EXPECT_EQ(error.message, "read t at a moment: it is tracked without a key");
  EXPECT_EQ(error_of(at(shop.db(), "t", {"1"}, Moment{})).fault, Fault::invalid);
}

TEST(At, ReadsADroppedTableFromItsTrail) {
  Shop shop;
  shop.run("create table t (id integer primary key, n)");
  shop.with_trail().track("t");
  shop.run("insert into t values (1, 1), (2, 2); delete from t; drop table t");
  auto states = must(at(shop.db(), "t", Moment{Moment::Kind::change, 2}));
  int rows = 0;
  while (must(states->next()).has_value()) ++rows;
  EXPECT_EQ(rows, 2);
}

TEST(ParseMoment, TellsIdsFromTimes) {
  EXPECT_EQ(must(parse_moment("17", 0)).kind, Moment::Kind::change);
  EXPECT_EQ(must(parse_moment("now", 0)).kind, Moment::Kind::now);
  EXPECT_EQ(must(parse_moment("2026-01-01", 0)).kind, Moment::Kind::time);
  EXPECT_EQ(error_of(parse_moment("soon", 0)).fault, Fault::invalid);
}

TEST(Diff, FollowsARowThroughItsKeys) {
  Shop shop;
  shop.run("create table t (id integer primary key, n, s)");
  shop.with_trail().track("t");
  shop.run(
      "insert into t values (1, 1, 'a'); update t set n = 2; update t set id = 5; update t set s = "
      "'b';"
      "insert into t values (1, 7, 'other')");
  const Diff found = must(diff(shop.db(), "t", {"5"}, Moment{Moment::Kind::change, 1}, Moment{}));
  std::string text;
  for (const Difference& one : found.differences)
    text += one.column + ":" + to_json(*one.from) + ">" + to_json(*one.to) + " ";
  EXPECT_EQ(text, "id:1>5 n:1>2 s:\"a\">\"b\" ");
  // The other way round, and the row that has key 1 now.
  EXPECT_EQ(must(diff(shop.db(), "t", {"5"}, Moment{}, Moment{Moment::Kind::change, 1}))
                .differences.size(),
            3U);
  EXPECT_FALSE(must(diff(shop.db(), "t", {"1"}, Moment{Moment::Kind::change, 4}, Moment{}))
                   .from.has_value());
}

TEST(Blame, NamesTheChangeOfEachColumn) {
  Shop shop;
  shop.run("create table t (id integer primary key, n, s); insert into t values (1, 0, 'old')");
  shop.with_trail().track("t");
  shop.run("update t set n = 1; update t set n = 2; update t set id = 3");
  const Blame found = must(blame(shop.db(), "t", {"3"}));
  ASSERT_EQ(found.columns.size(), 3U);
  EXPECT_EQ(found.columns[0].change->id, 3);
  EXPECT_EQ(found.columns[1].change->id, 2);
  EXPECT_FALSE(found.columns[2].change.has_value());
  EXPECT_EQ(must(blame(shop.db(), "t", {"1"})).key[0].value, Value(std::int64_t{3}))
      << "the old key leads on";
}

TEST(Blame, ReadsADeletedRowAndStopsAtItsBirth) {
  Shop shop;
  shop.run("create table t (id integer primary key, n)");
  shop.with_trail().track("t");
  shop.run(
      "insert into t values (1, 1); update t set n = 5; delete from t; insert into t values (1, "
      "9); delete from t");
  const Blame found = must(blame(shop.db(), "t", {"1"}));
  EXPECT_FALSE(found.exists);
  EXPECT_EQ(found.columns[1].change->id, 4);
  EXPECT_EQ(error_of(blame(shop.db(), "t", {"2"})).message,
            "blame t id=2: no such row, now or in the trail");
}

TEST(Blame, RefusesAKeyThatIsNotUnique) {
  Shop shop;
  shop.run("create table t (a, n); create unique index u on t (a)");
  shop.with_trail().track("t", with_key({"a"}));
  shop.run("drop index u; insert into t values (1, 1), (1, 2)");
  const Error error = error_of(blame(shop.db(), "t", {"1"}));
  EXPECT_EQ(error.message, "read t a=1: more than one row has this key");
}

}  // namespace
}  // namespace vestige
