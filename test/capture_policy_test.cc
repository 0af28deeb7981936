// What a policy leaves in and out, and what happens when it changes.
#include <gtest/gtest.h>

#include "test/capture_replay.h"

namespace vestige {
namespace {

class CapturePolicy : public testing::Test {
 protected:
  void make(const Policy& policy,
            const std::string& columns = "id integer primary key, name, price") {
    shop_.run("create table goods (" + columns + ")");
    shop_.with_trail();
    shop_.track("goods", policy);
    client_ = shop_.connect();
  }
  std::string recorded(const std::string& sql) {
    const std::int64_t before = shop_.last_change();
    must(client_->script(sql));
    return shop_.changes(before);
  }

  Shop shop_;
  std::unique_ptr<Sqlite> client_;
};

TEST_F(CapturePolicy, IncludesAndExcludesColumns) {
  make(including({"PRICE"}));
  EXPECT_EQ(recorded("insert into goods values (1, 'ink', 5)"),
            "INSERT {\"id\":1} {\"id\":1,\"price\":5}\n");
  EXPECT_EQ(recorded("update goods set name = 'x'"), "");
  EXPECT_EQ(recorded("update goods set name = 'y', price = 6"),
            "UPDATE {\"id\":1} {\"price\":5} {\"price\":6}\n");
  shop_.track("goods", excluding({"price"}));
  EXPECT_EQ(recorded("update goods set price = 7, name = 'z'"),
            "UPDATE {\"id\":1} {\"name\":\"y\"} {\"name\":\"z\"}\n");
  EXPECT_EQ(
      recorded("replace into goods values (1, 'q', 9)"),
      "DELETE {\"id\":1} {\"id\":1,\"name\":\"z\"}\nINSERT {\"id\":1} {\"id\":1,\"name\":\"q\"}\n");
  EXPECT_EQ(recorded("delete from goods"), "DELETE {\"id\":1} {\"id\":1,\"name\":\"q\"}\n");
}

TEST_F(CapturePolicy, RecordsOnlyUnderItsCondition) {
  make(with_condition("NEW.price > 10 or \"old\".price > 10"));
  EXPECT_EQ(recorded("insert into goods values (1, 'ink', 5), (2, 'pen', 20)"),
            "INSERT {\"id\":2} {\"id\":2,\"name\":\"pen\",\"price\":20}\n");
  EXPECT_EQ(recorded("update goods set name = 'x' where id = 1"), "");
  EXPECT_EQ(recorded("update goods set price = 11 where id = 1"),
            "UPDATE {\"id\":1} {\"price\":5} {\"price\":11}\n");
  EXPECT_EQ(recorded("update goods set price = null where id = 2"),
            "UPDATE {\"id\":2} {\"price\":20} {\"price\":null}\n");
  EXPECT_EQ(recorded("delete from goods"),
            "DELETE {\"id\":1} {\"id\":1,\"name\":\"x\",\"price\":11}\n");
}

TEST_F(CapturePolicy, UnderstandsTextCommentsAndQuotesInItsCondition) {
  make(with_condition(
      "new.name <> 'new.name' /* old.x */ and (select max(price) from goods) is not null -- new."));
  EXPECT_EQ(recorded("insert into goods values (1, 'new.name', 5), (2, 'pen', 20)"),
            "INSERT {\"id\":2} {\"id\":2,\"name\":\"pen\",\"price\":20}\n");
  EXPECT_EQ(recorded("delete from goods where id = 2"),
            "DELETE {\"id\":2} {\"id\":2,\"name\":\"pen\",\"price\":20}\n");
}

TEST_F(CapturePolicy, RecordsAWideRowUnderItsCondition) {
  std::string columns = "id integer primary key, name";
  for (int i = 0; i < 70; ++i) columns += fmt::format(", c{} default {}", i, i);
  make(with_condition("NEW.name = 'yes'"), columns);
  must(
      client_->script("insert into goods (id, name) values (1, 'no'), (2, 'yes'), (3, 'no'); "
                      "update goods set c69 = -1, c20 = 7; delete from goods"));
  EXPECT_EQ(shop_.rows("select id, op, key from vestige_change"), "1|I|2\n2|U|2\n3|D|2\n");
  EXPECT_EQ(shop_.rows("select change, count(*) from vestige_more group by 1"), "1|2\n2|2\n3|2\n");
}

TEST_F(CapturePolicy, RecordsEveryColumnWhenCaptureIsFull) {
  Policy policy;
  policy.full = true;
  make(policy);
  recorded("insert into goods values (1, 'ink', 5)");
  EXPECT_EQ(recorded("update goods set price = 6"),
            "UPDATE {\"id\":1} {\"price\":5} {\"id\":1,\"name\":\"ink\",\"price\":6}\n");
  EXPECT_EQ(recorded("update goods set price = 6"), "");
}

TEST_F(CapturePolicy, RecordsEveryColumnOfAWideRowWhenCaptureIsFull) {
  std::string columns = "id integer primary key, name";
  for (int i = 0; i < 40; ++i) columns += fmt::format(", c{} default {}", i, i);
  Policy policy;
  policy.full = true;
  make(policy, columns);
  recorded("insert into goods (id, name) values (1, 'ink')");
  Witness witness(shop_.db(), {"goods"});
  must(client_->script("update goods set c39 = 'last', name = 'first'"));
  Selection one;
  one.ops = {Op::update};
  const auto change = must(must(read_changes(shop_.db(), one))->next());
  EXPECT_EQ(change->new_values->size(), 42U);
  EXPECT_EQ(change->changed_fields(), (std::vector<std::string>{"name", "c39"}));
}

TEST_F(CapturePolicy, TakesAnotherKey) {
  make(with_key({"name"}), "id integer primary key, name unique, price");
  recorded("insert into goods values (1, 'ink', 5)");
  EXPECT_EQ(recorded("update goods set name = 'pen'"),
            "UPDATE {\"name\":\"ink\"}→{\"name\":\"pen\"} {\"name\":\"ink\"} {\"name\":\"pen\"}\n");
  EXPECT_EQ(recorded("update goods set id = 7"),
            "UPDATE {\"name\":\"pen\"} {\"id\":1} {\"id\":7}\n");
}

TEST_F(CapturePolicy, ChangesAndKeepsItsHistory) {
  make({});
  recorded("insert into goods values (1, 'ink', 5)");
  const Tracked before = must(tracked_table(shop_.db(), "goods"));
  EXPECT_EQ(shop_.track("GOODS", excluding({"name"})).id, before.id);
  EXPECT_EQ(recorded("update goods set name = 'x', price = 7"),
            "UPDATE {\"id\":1} {\"price\":5} {\"price\":7}\n");
  EXPECT_EQ(shop_.rows(
                "select count(*) from sqlite_schema where type = 'trigger' and tbl_name = 'goods'"),
            "5\n");
  EXPECT_EQ(shop_.changes(),
            "INSERT {\"id\":1} {\"id\":1,\"name\":\"ink\",\"price\":5}\nUPDATE {\"id\":1} "
            "{\"price\":5} {\"price\":7}\n");
}

TEST_F(CapturePolicy, StopsAndGoesOn) {
  make({});
  recorded("insert into goods values (1, 'ink', 5)");
  const std::int64_t id = must(tracked_table(shop_.db(), "goods")).id;
  must(untrack(shop_.db(), "goods"));
  EXPECT_EQ(recorded("replace into goods values (1, 'pen', 5)"), "");
  const Error error = error_of(untrack(shop_.db(), "goods"));
  EXPECT_EQ(error.fault, Fault::missing);
  EXPECT_EQ(error.message, "untrack goods: it is not tracked any more");
  EXPECT_TRUE(must(tracked_table(shop_.db(), "goods")).untracked_at.has_value());
  const Tracked again = shop_.track("goods");
  EXPECT_EQ(again.id, id);
  EXPECT_EQ(again.shape.note, "tracked again; changes in between are not in the trail");
  EXPECT_EQ(recorded("delete from goods"),
            "DELETE {\"id\":1} {\"id\":1,\"name\":\"pen\",\"price\":5}\n");
  EXPECT_EQ(shop_.last_change(), 2);
}

TEST_F(CapturePolicy, BaselinesOnceMore) {
  make({});
  recorded("insert into goods values (1, 'ink', 5), (2, 'pen', 6)");
  auto transaction = must(Transaction::begin(shop_.db()));
  EXPECT_EQ(must(baseline(shop_.db(), must(tracked_table(shop_.db(), "goods")))), 2);
  must(transaction.commit());
  EXPECT_EQ(recorded("delete from goods where id = 2"),
            "DELETE {\"id\":2} {\"id\":2,\"name\":\"pen\",\"price\":6}\n");
  EXPECT_EQ(shop_.rows("select id, op, tx from vestige_change"),
            "1|I|1\n2|I|1\n3|B|3\n4|B|3\n5|D|5\n");
}

}  // namespace
}  // namespace vestige
