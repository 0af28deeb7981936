#include "vestige/trail/row_index.h"

#include <gtest/gtest.h>

#include "test/tracked_shop.h"

namespace vestige {
namespace {

// What is wrong with the index: keys whose changes it does not find, or finds besides.
std::string wrong(Shop& shop, const Tracked& table) {
  std::string out;
  for (std::int64_t key = 0; key < 40; ++key) {
    const std::string ids = "select group_concat(id) from (select id from vestige_change where ";
    const Value found = must(scalar(
        shop.db(), ids + "id in (" + row_changes("?1", "?2") + ") order by id)", {table.id, key}));
    const Value looked = must(
        scalar(shop.db(), ids + "tbl = ?1 and ?2 in (key, new_key) order by id)", {table.id, key}));
    if (to_display(found) != to_display(looked))
      out += fmt::format("key {}: {}, not {}\n", key, to_display(found), to_display(looked));
  }
  return out;
}

// Changes of 20 rows, some of which change their key, until the trail has `until` of them.
void change(Shop& shop, std::int64_t until) {
  while (shop.last_change() < until) {
    const std::int64_t i = shop.last_change();
    if (i % 7 == 0)
      shop.run(fmt::format("update t set k = (k + 20) % 40 where k % 20 = {}", i * 3 % 20));
    else shop.run(fmt::format("update t set v = v + 1 where k % 20 = {}", i * 11 % 20));
  }
}

class RowIndex : public ::testing::Test {
 protected:
  RowIndex() {
    shop_.run(
        "create table t (k integer primary key, v integer);"
        "with recursive n (i) as (select 0 union all select i + 1 from n where i < 19)"
        " insert into t select i, 0 from n");
    table_ = shop_.with_trail().track("t");
  }

  Shop shop_;
  Tracked table_;
};

TEST_F(RowIndex, FindsEveryChangeAboutTheEndsOfQuartersAndRuns) {
  for (const std::int64_t end : {256, 512, 1024, 1280, 2048}) {
    for (const std::int64_t last : {end - 1, end, end + 1}) {
      change(shop_, last);
      EXPECT_EQ(wrong(shop_, table_), "") << "after " << last;
    }
  }
}

TEST_F(RowIndex, MergesCompleteRunsAndLeavesTheGrowingOne) {
  change(shop_, 1024 + 300);
  EXPECT_EQ(must(loose_runs(shop_.db())), 1);
  must(merge_runs(shop_.db()));
  EXPECT_EQ(must(loose_runs(shop_.db())), 0);
  EXPECT_EQ(shop_.rows("select distinct run from vestige_key order by run"), "0\n2\n");
  EXPECT_EQ(wrong(shop_, table_), "");
  for (const std::int64_t last : {1024 + 600, 2048, 2049}) {
    change(shop_, last);
    EXPECT_EQ(wrong(shop_, table_), "") << "after " << last;
  }
  must(merge_runs(shop_.db()));
  EXPECT_EQ(wrong(shop_, table_), "");
}

// A REPLACE is two changes of one transaction, also where a quarter ends between them.
TEST_F(RowIndex, AQuarterDoesNotPartTheChangesOfATransaction) {
  for (int i = 0; i < 600; ++i)
    shop_.run(fmt::format(
        "insert or replace into t values ({}, {}); update t set v = -1 where k = 3", i % 20, i));
  EXPECT_EQ(shop_.rows("select count(*) from vestige_change as d join vestige_change as i"
                       " on i.id = d.id + 1 where d.op = 'D' and (i.op <> 'I' or i.tx <> d.tx)"),
            "0\n");
}

}  // namespace
}  // namespace vestige
