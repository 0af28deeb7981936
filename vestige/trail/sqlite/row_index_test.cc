#include "vestige/trail/sqlite/row_index.h"

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
  for (std::int64_t last = shop.last_change(); last < until; last = shop.last_change()) {
    const std::string rows =
        until - last >= 50 ? "" : fmt::format(" where k % 20 = {}", last * 11 % 20);
    if (last % 7 == 0) shop.run("update t set k = (k + 20) % 40" + rows);
    else shop.run("update t set v = v + 1" + rows);
  }
}

class RowIndex : public ::testing::Test {
 protected:
  RowIndex() {
    shop_.run(
        "pragma synchronous = off;"
        "create table t (k integer primary key, v integer);"
        "with recursive n (i) as (select 0 union all select i + 1 from n where i < 19)"
        " insert into t select i, 0 from n");
    table_ = shop_.with_trail().track("t");
  }

  Shop shop_;
  Tracked table_;
};

TEST_F(RowIndex, FindsEveryChangeAboutTheEndsOfBatchesAndRuns) {
  for (const std::int64_t end : {512, 1024, 16384, 16896, 32768}) {
    for (const std::int64_t last : {end - 1, end, end + 1}) {
      change(shop_, last);
      EXPECT_EQ(wrong(shop_, table_), "") << "after " << last;
    }
  }
  EXPECT_EQ(shop_.rows("select run, max(id) from vestige_key group by run order by run"),
            "1|16384\n2|32768\n");
}

TEST_F(RowIndex, MergesCompleteRunsAndLeavesTheGrowingOne) {
  change(shop_, 16384 + 600);
  EXPECT_EQ(must(loose_runs(shop_.db())), 1);
  must(merge_runs(shop_.db()));
  EXPECT_EQ(must(loose_runs(shop_.db())), 0);
  EXPECT_EQ(shop_.rows("select distinct run from vestige_key order by run"), "0\n2\n");
  EXPECT_EQ(wrong(shop_, table_), "");
  for (const std::int64_t last : {16384 + 1200, 32768, 32769}) {
    change(shop_, last);
    EXPECT_EQ(wrong(shop_, table_), "") << "after " << last;
  }
  must(merge_runs(shop_.db()));
  EXPECT_EQ(wrong(shop_, table_), "");
}

TEST_F(RowIndex, AMergeThatIsRolledBackLeavesTheRuns) {
  change(shop_, 16384 + 600);
  const std::string before = shop_.rows("select * from vestige_key");
  {
    auto transaction = must(Transaction::begin(shop_.db()));
    must(merge_runs(shop_.db()));
  }
  EXPECT_EQ(must(loose_runs(shop_.db())), 1);
  EXPECT_EQ(shop_.rows("select * from vestige_key"), before);
  EXPECT_EQ(wrong(shop_, table_), "");
}

// The ids of what is rolled back are given again, to other changes.
TEST_F(RowIndex, ForgetsTheBatchesOfWhatIsRolledBack) {
  for (const std::int64_t end : {512, 16384}) {
    change(shop_, end - 10);
    shop_.run("begin; update t set v = 0 where k = 3; savepoint before_the_end");
    change(shop_, end + 520);
    shop_.run("rollback to before_the_end; update t set v = v + 1 where k % 2 = 0; commit");
    EXPECT_EQ(wrong(shop_, table_), "") << "after the savepoint at " << end;
    shop_.run("begin");
    change(shop_, end + 20);
    shop_.run("rollback");
    EXPECT_EQ(wrong(shop_, table_), "") << "after the rollback at " << end;
    change(shop_, end + 1);
    EXPECT_EQ(wrong(shop_, table_), "") << "after " << end + 1;
  }
}

TEST_F(RowIndex, KeepsTheRowsOfSeveralTablesApart) {
  shop_.run("create table u (k text primary key, v integer) without rowid");
  shop_.run("insert into u select k, 0 from t");
  const Tracked other = shop_.track("u");
  shop_.run(
      "create trigger both after update on t begin"
      " update u set v = NEW.v where k = cast(NEW.k % 20 as text); end");
  change(shop_, 16384 + 600);
  EXPECT_EQ(wrong(shop_, table_), "");
  EXPECT_EQ(wrong(shop_, other), "");
  const std::string counts =
      "select count(*) from vestige_change where id in (" + row_changes("?1", "?2") + ")";
  EXPECT_GT(must(scalar_integer(shop_.db(), counts, {other.id, Text{"7"}})), 100);
  must(merge_runs(shop_.db()));
  EXPECT_EQ(wrong(shop_, table_), "");
  EXPECT_EQ(must(scalar_integer(shop_.db(), counts, {other.id, Text{"7"}})),
            must(scalar_integer(shop_.db(),
                                "select count(*) from vestige_change where tbl = ?1 and key is ?2",
                                {other.id, Text{"7"}})));
}

// The trigger was missing while changes were made: they are in no run, and no later batch takes them in.
TEST_F(RowIndex, IsMadeAnewFromTheChanges) {
  for (const std::int64_t gap : {700, 20000}) {
    SCOPED_TRACE(gap);
    const Value trigger =
        must(scalar(shop_.db(), "select sql from sqlite_schema where name = 'vestige_change_run'"));
    shop_.run("drop trigger vestige_change_run");
    change(shop_, shop_.last_change() + gap);
    shop_.run(std::get<Text>(trigger).bytes);
    change(shop_, shop_.last_change() + 600);
    EXPECT_NE(wrong(shop_, table_), "");
    must(rebuild_runs(shop_.db()));
    EXPECT_EQ(wrong(shop_, table_), "");
    EXPECT_EQ(must(loose_runs(shop_.db())), 0);
    change(shop_, shop_.last_change() + 1100);
    EXPECT_EQ(wrong(shop_, table_), "");
  }
}

// A REPLACE is two changes of one transaction, also where a batch ends between them.
TEST_F(RowIndex, ABatchDoesNotPartTheChangesOfATransaction) {
  for (int i = 0; i < 600; ++i)
    shop_.run(fmt::format(
        "insert or replace into t values ({}, {}); update t set v = -1 where k = 3", i % 20, i));
  EXPECT_EQ(shop_.rows("select count(*) from vestige_change as d join vestige_change as i"
                       " on i.id = d.id + 1 where d.op = 'D' and (i.op <> 'I' or i.tx <> d.tx)"),
            "0\n");
}

}  // namespace
}  // namespace vestige
