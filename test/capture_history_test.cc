// Reading one row's history: through complete runs, the tail and merged runs, along changed keys, and by
// clocks that went back.
#include <gtest/gtest.h>

#include <set>

#include "test/capture_replay.h"
#include "vestige/trail/sqlite/row_index.h"

namespace vestige {
namespace {

class CaptureHistory : public testing::Test {
 protected:
  void make(const std::string& sql) {
    shop_.run("pragma synchronous = off");
    shop_.run(sql);
    shop_.with_trail();
    tracked_ = shop_.track("goods");
    client_ = shop_.connect();
  }
  void client(const std::string& sql) { must(client_->script(sql)); }

  // The ids of the changes of a row, each once, oldest first.
  std::string ids(const Value& key) {
    Selection row;
    row.table = tracked_.id;
    row.key = {{tracked_.shape.key()[0].name, key}};
    row.oldest_first = true;
    auto changes = must(read_changes(shop_.db(), row));
    std::string out;
    while (auto change = must(changes->next()))
      out += (out.empty() ? "" : " ") + std::to_string(change->id);
    return out;
  }

  Shop shop_;
  Tracked tracked_;
  std::unique_ptr<Sqlite> client_;
};

TEST_F(CaptureHistory, FindsARowInEveryRunAndInTheTail) {
  make("create table goods (id integer primary key, n default 0)");
  client(
      "insert into goods (id) with recursive n (i) as (select 1 union all select i + 1 from n "
      "where i < 2800) select i from n");
  for (int i = 0; i < 6; ++i) client("update goods set n = n + 1");
  const auto expected = [&](std::int64_t key) {
    return shop_.rows(
        fmt::format("select group_concat(id, ' ') from (select id from vestige_change where key = "
                    "{} order by id)",
                    key));
  };
  for (const std::int64_t key : {1, 2, 511, 512, 513, 1024, 1025, 2383, 2384, 2799, 2800})
    EXPECT_EQ(ids(key) + "\n", expected(key)) << key;
  EXPECT_EQ(must(loose_runs(shop_.db())), 19600 / 16384);
  must(merge_runs(shop_.db()));
  EXPECT_EQ(must(loose_runs(shop_.db())), 0);
  for (const std::int64_t key : {1, 2, 2383, 2384, 2800})
    EXPECT_EQ(ids(key) + "\n", expected(key)) << key;
  client("update goods set n = -n");
  client("update goods set n = n - 1");
  for (const std::int64_t key : {1, 2, 2383, 2384, 2800})
    EXPECT_EQ(ids(key) + "\n", expected(key)) << key;
  must(merge_runs(shop_.db()));
  for (const std::int64_t key : {1, 2, 2383, 2384, 2800})
    EXPECT_EQ(ids(key) + "\n", expected(key)) << key;
}

TEST_F(CaptureHistory, FindsABaselinesRows) {
  shop_.run(
      "create table goods (id integer primary key); insert into goods with recursive n (i) as "
      "(select 1 union all select i + 1 from n where i < 2500) select i from n");
  shop_.with_trail();
  tracked_ = shop_.track("goods");
  auto transaction = must(Transaction::begin(shop_.db()));
  EXPECT_EQ(must(baseline(shop_.db(), tracked_)), 2500);
  must(transaction.commit());
  for (const std::int64_t key : {1, 511, 512, 513, 2048, 2049, 2499, 2500})
    EXPECT_EQ(ids(key), std::to_string(key));
}

TEST_F(CaptureHistory, FollowsChangedKeysBothWays) {
  make("create table goods (id integer primary key, name)");
  client("insert into goods values (1, 'a')");         // 1
  client("update goods set id = 2 where id = 1");      // 2
  client("insert into goods values (1, 'other')");     // 3
  client("update goods set name = 'b' where id = 2");  // 4
  client("update goods set id = 3 where id = 2");      // 5
  client("insert into goods values (2, 'third')");     // 6
  client("update goods set name = 'c' where id = 3");  // 7
  client("delete from goods where id = 3");            // 8
  client("insert into goods values (3, 'fourth')");    // 9
  EXPECT_EQ(ids(std::int64_t{2}), "1 2 4 5 6 7 8");
  EXPECT_EQ(ids(std::int64_t{3}), "1 2 4 5 7 8 9");
  EXPECT_EQ(ids(std::int64_t{1}), "1 2 3 4 5 7 8");
}

TEST_F(CaptureHistory, FollowsAKeyThatComesBack) {
  make("create table goods (id text primary key, n) without rowid");
  client(
      "insert into goods values ('a', 0); update goods set id = 'b'; update goods set id = 'a'; "
      "update goods set n = 1; update goods set id = 'A'; delete from goods");
  EXPECT_EQ(ids(Text{"a"}), "1 2 3 4 5 6");
  EXPECT_EQ(ids(Text{"b"}), "1 2 3 4 5 6");
  EXPECT_EQ(ids(Text{"A"}), "1 2 3 4 5 6");
}

TEST_F(CaptureHistory, TellsRowsWithoutAKeyValueApartFromAllOthers) {
  make("create table goods (id text primary key, n)");
  client(
      "insert into goods values (null, 1), ('a', 2), (null, 3), ('null', 4); update goods set n = "
      "n + 1; update goods set id = 'x' where n = 2");
  EXPECT_EQ(ids(Text{"a"}), "2 6");
  EXPECT_EQ(ids(Text{"x"}), "1 5 9") << "followed through NULL by its rowid";
  EXPECT_EQ(ids(Null{}), "1 3 5 7 9");
  client(
      "update goods set n = 9; update goods set id = null where id = 'a'; update goods set n = 1 "
      "where"
      " id is null; update goods set id = 'y' where rowid = 2; delete from goods");
  EXPECT_EQ(ids(Text{"y"}), "2 6 11 14 15 17 19");
}

TEST_F(CaptureHistory, FindsTheLastChangeByAClockThatWentBack) {
  make("create table goods (id integer primary key)");
  EXPECT_EQ(must(last_change_at(shop_.db(), 5'000'000)), 0);
  const std::vector<std::pair<int, bool>> clock = {{100, false}, {100, false}, {200, false},
                                                   {150, true},  {160, false}, {90, true},
                                                   {300, false}, {250, true}};
  std::int64_t id = 0;
  for (const auto& [at, back] : clock)
    must(
        shop_.db().run("insert into vestige_change (id, tbl, shape, op, at, tx, backward, key, v0) "
                       "values (?1, ?2, ?3, 'I', ?4, ?1, ?5, ?1, ?1)",
                       {++id, tracked_.id, tracked_.shape.id, std::int64_t{at},
                        back ? Value(std::int64_t{1}) : Value(Null{})}));
  // The last change that the clock placed at or before a moment, by looking at each.
  for (std::int64_t micros = 89'000; micros < 301'001; micros += 500) {
    std::int64_t last = 0;
    for (std::size_t i = 0; i < clock.size(); ++i)
      if (clock[i].first * 1000 <= micros) last = static_cast<std::int64_t>(i) + 1;
    EXPECT_EQ(must(last_change_at(shop_.db(), micros)), last) << micros;
  }
}

TEST_F(CaptureHistory, ReadsKeysAsPeopleTypeThem) {
  make("create table goods (id integer primary key, n)");
  client("insert into goods values (7, 1)");
  EXPECT_EQ(to_json(must(parse_key(shop_.db(), tracked_, {"7"})).key), "{\"id\":7}");
  EXPECT_EQ(to_json(must(parse_key(shop_.db(), tracked_, {"id=7"})).key), "{\"id\":7}");
  shop_.run(
      "create table line (goods text, n, place real, primary key (goods, n, place)); insert into "
      "line values ('7', 1, 2), ('b=c', x'00ff', 1.5), ('null', 'x', 0)");
  const Tracked line = shop_.track("line");
  EXPECT_EQ(to_json(must(parse_key(shop_.db(), line, {"7", "1", "2"})).key),
            "{\"goods\":\"7\",\"n\":1,\"place\":2.0}");
  EXPECT_EQ(to_json(must(parse_key(shop_.db(), line, {"place=2", "goods=7", "n=1"})).key),
            "{\"goods\":\"7\",\"n\":1,\"place\":2.0}");
  EXPECT_EQ(to_json(must(parse_key(shop_.db(), line, {"b=c", "x'00FF'", "1.5"})).key),
            "{\"goods\":\"b=c\",\"n\":{\"$blob\":\"00ff\"},\"place\":1.5}");
  EXPECT_EQ(to_json(must(parse_key(shop_.db(), line, {"null", "x", "0"})).key),
            "{\"goods\":\"null\",\"n\":\"x\",\"place\":0.0}");
  EXPECT_EQ(error_of(parse_key(shop_.db(), line, {"7", "1"})).message,
            "find a row of line: no value for the key column place");
}

}  // namespace
}  // namespace vestige
