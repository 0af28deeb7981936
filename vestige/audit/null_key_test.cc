// Rows whose key holds a NULL, and rows of tables without a key: the rowid tells them apart.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "test/tracked_shop.h"
#include "vestige/audit/at.h"
#include "vestige/audit/blame.h"
#include "vestige/audit/diff.h"
#include "vestige/audit/log.h"
#include "vestige/audit/revert.h"
#include "vestige/trail/row_history.h"

namespace vestige {
namespace {

using Words = std::vector<std::string>;

Moment change(std::int64_t id) { return {Moment::Kind::change, id}; }

struct Then {
  std::int64_t change = 0;
  std::multiset<std::string> rows;                     // as at prints them
  std::map<std::int64_t, std::pair<Row, Row>> by_row;  // rowid: key, row
};

Then look(Shop& shop, const Tracked& table) {
  Then then;
  then.change = must(scalar_integer(shop.db(), "select max(id) from vestige_change"));
  std::string columns;
  for (const Column& column : table.shape.columns) columns += ", " + column.name;
  auto rows = must(shop.db().query("select rowid" + columns + " from t"));
  while (must(rows->next()) == Step::row) {
    Row row;
    Row key;
    for (std::size_t i = 0; i < table.shape.columns.size(); ++i) {
      row.push_back({table.shape.columns[i].name, rows->value(static_cast<int>(i) + 1)});
      if (table.shape.columns[i].key > 0) key.push_back(row.back());
    }
    then.rows.insert(to_json(row));
    then.by_row[rows->integer(0)] = {key, row};
  }
  return then;
}

std::multiset<std::string> table_at(Shop& shop, const Moment& moment) {
  std::multiset<std::string> out;
  auto states = must(at(shop.db(), "t", moment));
  while (const auto state = must(states->next())) out.insert(to_json(*state));
  return out;
}

// Random writes of few keys, so that rows meet, move to NULL and back, and rowids are used again.
std::vector<Then> live(Shop& shop, const Tracked& table, unsigned seed, int writes) {
  std::mt19937 random(seed);
  const auto one_of = [&](const Words& words) { return words[random() % words.size()]; };
  std::vector<Then> history = {look(shop, table)};
  while (writes-- > 0) {
    const std::string a = one_of({"null", "null", "'null'", "'x'", "1"});
    const std::string b = one_of({"null", "1", "'null'"});
    const std::string row = std::to_string(1 + random() % 6);
    const std::string value = std::to_string(random() % 100);
    shop.run(one_of({
        fmt::format("insert or ignore into t (a, b, v) values ({}, {}, {})", a, b, value),
        fmt::format("update or ignore t set a = {} where rowid = {}", a, row),
        fmt::format("update or ignore t set a = {}, b = {}, v = {} where rowid = {}", a, b, value,
                    row),
        fmt::format("update t set v = {} where rowid = {}", value, row),
        fmt::format("update t set v = {} where a is null", value),
        fmt::format("delete from t where rowid = {}", row),
        fmt::format("insert or replace into t (a, b, v) values ({}, {}, {})", a, b, value),
    }));
    history.push_back(look(shop, table));
  }
  return history;
}

class NullKeys : public testing::TestWithParam<const char*> {};

TEST_P(NullKeys, EveryTableAndRowIsWhatItWas) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    Shop shop;
    shop.run("pragma synchronous = off; pragma journal_mode = memory");
    shop.run(GetParam());
    shop.run("insert into t (a, b, v) values (null, 1, 'x'), (null, null, 'y'), ('k', null, 'z')");
    shop.with_trail();
    const Tracked table = shop.track("t");
    const auto history = live(shop, table, seed, 70);
    for (const Then& then : history) {
      SCOPED_TRACE(then.change);
      const Moment moment = then.change == 0 ? Moment{Moment::Kind::time, 0} : change(then.change);
      if (!table.shape.key().empty()) {
        ASSERT_EQ(table_at(shop, moment), then.rows);
      }
      for (const auto& [row_id, row] : then.by_row) {
        const State state = must(state_of(shop.db(), table, {row.first, row_id}, then.change));
        ASSERT_TRUE(state.has_value()) << row_id;
        EXPECT_EQ(
            to_json(with_columns(*state, must(columns_at(shop.db(), table, moment, then.change)))),
            to_json(row.second))
            << row_id;
      }
    }
  }
}

TEST_P(NullKeys, RevertAndRestorePutTheRightRowBack) {
  for (unsigned seed = 11; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Shop shop;
    shop.run("pragma synchronous = off; pragma journal_mode = memory");
    shop.run(GetParam());
    shop.run("insert into t (a, b, v) values (null, 1, 'x'), (null, 1, 'y'), (null, null, 'z')");
    shop.with_trail();
    const Tracked table = shop.track("t");
    const Then start = look(shop, table);
    shop.run("update t set v = 'new', b = 2 where rowid = 2; update t set a = 'k' where rowid = 3");
    must(restore(shop.db(), "t",
                 table.shape.key().empty()       ? Words{"rowid=2"}
                 : table.shape.key().size() == 1 ? Words{"null", "rowid=2"}
                                                 : Words{"a=null", "b=2", "rowid=2"},
                 Moment{Moment::Kind::time, 0}, {}));
    EXPECT_EQ(to_json(look(shop, table).by_row[2].second), to_json(start.by_row.at(2).second));
    (void)live(shop, table, seed, 25);
    RevertRequest all;
    const std::int64_t last = look(shop, table).change;
    for (std::int64_t id = 1; id <= last; ++id) all.changes.push_back(id);
    must(revert(shop.db(), all, {}));
    EXPECT_EQ(look(shop, table).rows, start.rows);
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, NullKeys,
                         testing::Values("create table t (a, b, v, primary key (a, b))",
                                         "create table t (a text primary key, b, v)",
                                         "create table t (v, b, a unique, primary key (b, a))",
                                         "create table t (a, b, v)"));

class NullKey : public testing::Test {
 protected:
  NullKey() {
    shop_.run(
        "create table t (a text, b, v, primary key (a, b));"
        "insert into t values (null, 1, 'x'), (null, 1, 'y'), ('null', 2, 'text'), (null, 3, 'z'),"
        " ('''q''', 4, 'quoted')");
    shop_.with_trail();
    tracked_ = shop_.track("t");
    shop_.run("update t set v = 'new' where rowid = 2; update t set v = v || '!' where b > 1");
  }
  std::string seen(const Words& words, const Moment& moment = {}) {
    const State state = must(at(shop_.db(), "t", words, moment));
    return state.has_value() ? to_display(*find(*state, "v")) : "none";
  }
  std::int64_t logged(const Words& words) {
    LogRequest request;
    request.table = "t";
    request.key = words;
    auto changes = must(log(shop_.db(), request));
    std::int64_t count = 0;
    while (must(changes->next()).has_value()) ++count;
    return count;
  }
  Shop shop_;
  Tracked tracked_;
};

TEST_F(NullKey, IsNamedByItsRowid) {
  EXPECT_EQ(seen({"null", "1", "rowid=1"}), "x");
  EXPECT_EQ(seen({"b=1", "rowid=2", "a=null"}), "new");
  EXPECT_EQ(seen({"null", "1", "rowid=2"}, {Moment::Kind::time, 0}), "y");
  EXPECT_EQ(seen({"null", "3"}), "z!") << "there is only one";
  EXPECT_EQ(seen({"null", "9"}), "none");
  EXPECT_EQ(logged({"null", "1"}), 1);
  EXPECT_EQ(logged({"null", "1", "rowid=1"}), 0);
  EXPECT_EQ(logged({"null", "1", "rowid=2"}), 1);
  const Blame blamed = must(blame(shop_.db(), "t", {"null", "1", "rowid=2"}));
  EXPECT_EQ(blamed.columns[2].change->id, 1);
  const Diff found =
      must(diff(shop_.db(), "t", {"null", "1", "rowid=2"}, {Moment::Kind::time, 0}, Moment{}));
  ASSERT_EQ(found.differences.size(), 1U);
  EXPECT_EQ(to_display(*found.differences[0].from), "y");
}

TEST_F(NullKey, IsToldFromTheWordNull) {
  EXPECT_EQ(seen({"null", "2"}), "text!") << "no row has a NULL there";
  EXPECT_EQ(seen({"'null'", "2"}), "text!");
  EXPECT_EQ(seen({"'null'", "3"}), "none");
  EXPECT_EQ(seen({"''q''", "4"}), "quoted!");
  EXPECT_EQ(seen({"'q'", "4"}), "quoted!") << "as it stands, where nobody has it without quotes";
}

TEST_F(NullKey, SaysWhenSeveralRowsHaveIt) {
  const auto said = error_of(at(shop_.db(), "t", {"null", "1"}, Moment{}));
  EXPECT_EQ(said.message,
            "find a row of t: several rows have or had the key a=null, b=1: rowid 1, 2");
  EXPECT_EQ(said.hint, "add which one: rowid=1");
  EXPECT_EQ(error_of(blame(shop_.db(), "t", {"null", "1"})).message, said.message);
  EXPECT_EQ(error_of(diff(shop_.db(), "t", {"null", "1"}, Moment{}, Moment{})).message,
            said.message);
  EXPECT_EQ(error_of(restore(shop_.db(), "t", {"null", "1"}, change(1), {})).message, said.message);
  for (int i = 0; i < 9; ++i) shop_.run("insert into t values (null, 1, 'more')");
  EXPECT_EQ(error_of(at(shop_.db(), "t", {"null", "1"}, Moment{})).message,
            "find a row of t: several rows have or had the key a=null, b=1: rowid 9, 10, 11, 12, "
            "13, …");
  EXPECT_EQ(error_of(parse_key(shop_.db(), tracked_, {"null", "1", "rowid=x"})).message,
            "find a row of t: 'rowid=x': a rowid is a whole number");
  EXPECT_EQ(error_of(parse_key(shop_.db(), tracked_, {"'null'", "2", "rowid=3"})).message,
            "find a row of t: its key a=null, b=2 and a rowid too");
  shop_.run("drop table t");
  EXPECT_EQ(error_of(at(shop_.db(), "t", {"null", "1"}, Moment{})).message,
            "find a row of t: several rows have or had the key a=null, b=1: rowid 9, 10, 11, 12, "
            "13, …");
}

TEST(NullKeyOfATable, WithAnotherRowidColumnIsRefused) {
  Shop shop;
  shop.run(
      "create table t (id integer primary key, a unique, v);"
      "insert into t values (1, null, 'x'), (2, null, 'y')");
  shop.with_trail().track("t", with_key({"a"}));
  shop.run(
      "update t set v = 'z' where id = 2; delete from t where id = 1;"
      "insert into t values (3, null, 'q')");
  EXPECT_EQ(error_of(at(shop.db(), "t", {"null"}, Moment{})).message,
            "tell the rows of t apart: any number of them may have the key a=null, and no rowid is"
            " recorded");
  EXPECT_EQ(error_of(at(shop.db(), "t", Moment{Moment::Kind::time, 0})).fault, Fault::invalid)
      << "of a whole table, too";
  RevertRequest request;
  request.changes = {1, 3};
  EXPECT_EQ(error_of(revert(shop.db(), request, {})).message,
            "revert of change 1 3: 2 of its changes cannot be undone, nothing was changed: "
            "change 3 (t a=null): several rows have this key, and no rowid tells which it was; "
            "change 1 (t a=null): several rows have this key, and no rowid tells which it was");
  request.changes = {2};
  must(revert(shop.db(), request, {}));
  EXPECT_EQ(shop.rows("select * from t"), "1|null|x\n2|null|z\n3|null|q\n");
}

}  // namespace
}  // namespace vestige
