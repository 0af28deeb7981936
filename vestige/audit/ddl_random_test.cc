// Rebuilds with random rows: the trail before and after, replayed, gives the table. Named cases stand in
// ddl_test.cc.
#include <rapidcheck.h>

#include <cmath>
#include <map>
#include <set>

#include "test/generators.h"
#include "test/tracked_shop.h"
#include "vestige/audit/ddl.h"
#include "vestige/record/fold.h"

namespace vestige {
namespace {

// SQLite cannot see the sign of zero, so a copy that alters nothing else alters nothing.
rc::Gen<Value> column_value() {
  return rc::gen::suchThat(any_value(), [](const Value& value) {
    const auto* real = std::get_if<double>(&value);
    return real == nullptr || *real != 0 || !std::signbit(*real);
  });
}

// A table's rows; with few keys, so that those before and after meet.
using TableRows = std::map<std::int64_t, std::pair<Value, Value>>;

TableRows random_rows() {
  TableRows rows;
  for (int key = 0; key < 8; ++key)
    if (*rc::gen::arbitrary<bool>()) rows[key] = {*column_value(), *column_value()};
  return rows;
}

void fill(Shop& shop, const std::string& table, const TableRows& rows) {
  for (const auto& [key, values] : rows)
    must(shop.db().run("insert into " + table + " values (?1, ?2, ?3)",
                       {key, values.first, values.second}));
}

// The rows after the migration: some as before, some altered, some others.
TableRows altered(const TableRows& before) {
  TableRows after = random_rows();
  for (const auto& [key, values] : before) switch (*rc::gen::inRange(0, 4)) {
      case 0: break;
      case 1: after[key].first = values.first; break;
      default: after[key] = values;
    }
  return after;
}

// Plays the dance: the rows of `after` stand in a new table that takes the old one's place.
void rebuild(Shop& shop, const std::string& columns, const TableRows& after) {
  shop.run("create table staged (k, a, b)");
  fill(shop, "staged", after);
  must(ddl(shop.db(),
           "create table n " + columns +
               "; insert into n select k, a, b from staged order by k;"
               "drop table t; alter table n rename to t; drop table staged",
           {}));
}

std::multiset<std::string> standing_rows(Shop& shop) {
  std::multiset<std::string> out;
  auto rows = must(shop.db().query("select k, a, b from t"));
  while (must(rows->next()) == Step::row)
    out.insert(to_json(Row{{"k", rows->value(0)}, {"a", rows->value(1)}, {"b", rows->value(2)}}));
  return out;
}

TEST(KeptRows, ReplayGivesTheRebuiltTable) {
  EXPECT_TRUE(rc::check([] {
    const std::string columns = *rc::gen::element<std::string>(
        "(k integer primary key, a, b)", "(k primary key, a, b unique)",
        "(k text collate nocase primary key, a, b)", "(k primary key, a, b) without rowid");
    TableRows before = random_rows();
    TableRows after = altered(before);
    if (columns.find("unique") != std::string::npos) {
      int n = 0;  // texts of their own: equal values would stop the inserts
      for (TableRows* rows : {&before, &after})
        for (auto& [key, values] : *rows) values.second = Text{std::to_string(++n)};
    }
    Shop shop;
    shop.run("pragma synchronous = off; create table t " + columns);
    shop.with_trail().track("t");
    fill(shop, "t", before);
    rebuild(shop, columns, after);

    std::map<std::string, State> states;
    Selection selection;
    selection.oldest_first = true;
    auto changes = must(read_changes(shop.db(), selection));
    while (auto change = must(changes->next())) {
      State state = std::move(states[to_json(change->key)]);
      states.erase(to_json(change->key));
      fold_forward(state, *change);
      if (state.has_value())
        states[to_json(change->new_key.value_or(change->key))] = std::move(state);
    }
    std::multiset<std::string> replayed;
    for (const auto& [key, state] : states) replayed.insert(to_json(*state));
    RC_ASSERT(replayed == standing_rows(shop));
  }));
}

TEST(KeptRows, ReplayGivesTheRebuiltTableWithoutAKey) {
  EXPECT_TRUE(rc::check([] {
    Shop shop;
    shop.run("pragma synchronous = off; create table t (k, a, b)");
    shop.with_trail().track("t");
    const TableRows before = random_rows();
    fill(shop, "t", before);
    fill(shop, "t", random_rows());
    rebuild(shop, "(k, a, b)", altered(before));

    std::multiset<std::string> replayed;
    Selection selection;
    selection.oldest_first = true;
    auto changes = must(read_changes(shop.db(), selection));
    while (auto change = must(changes->next())) {
      RC_ASSERT(change->op != Op::update);
      if (change->op == Op::insert) {
        replayed.insert(to_json(*change->new_values));
      } else {
        const auto gone = replayed.find(to_json(*change->old_values));
        RC_ASSERT(gone != replayed.end());
        replayed.erase(gone);
      }
    }
    RC_ASSERT(replayed == standing_rows(shop));
  }));
}

}  // namespace
}  // namespace vestige
