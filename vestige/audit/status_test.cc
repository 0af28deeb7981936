#include "vestige/audit/status.h"

#include "test/tracked_shop.h"
#include "vestige/base/time.h"

namespace vestige {
namespace {

TEST(Status, SaysThatThereIsNoTrail) {
  Shop shop;
  const Error error = error_of(status(shop.db()));
  EXPECT_EQ(error.fault, Fault::missing);
  EXPECT_EQ(error.hint, "vestige init makes one");
}

TEST(Status, ListsTablesCountsAndTimes) {
  Shop shop;
  shop.run(
      "create table products (id integer primary key, name text, price);"
      "create table orders (id integer primary key, product integer);"
      "create table notes (text)");
  shop.with_trail().track("products");
  shop.track("orders");
  const std::int64_t begin = clock_now() / 1000 * 1000 - 1000;
  shop.run(
      "insert into products values (1, 'ink', 5), (2, 'pen', 7);"
      "update products set price = 6 where id = 1;"
      "insert into orders values (1, 1)");
  const Status read = must(status(shop.db()));
  EXPECT_EQ(read.where, shop.db().where());
  EXPECT_EQ(read.schema_version, kSchemaVersion);
  EXPECT_EQ(read.changes, 4);
  EXPECT_EQ(read.untracked, std::vector<std::string>{"notes"});
  ASSERT_EQ(read.tables.size(), 2U);
  EXPECT_EQ(read.tables[0].table.name, "orders");
  EXPECT_EQ(read.tables[0].changes, 1);
  const TableStatus& products = read.tables[1];
  EXPECT_EQ(products.changes, 3);
  EXPECT_TRUE(products.intact) << products.trouble;
  ASSERT_TRUE(products.first_change.has_value() && products.last_change.has_value());
  EXPECT_GE(*products.first_change, begin);
  EXPECT_LE(*products.first_change, *products.last_change);
  EXPECT_LE(*products.last_change, clock_now() + 1000);
  EXPECT_EQ(products.bytes, 5 + 5 + 2);  // 1 ink 5, 2 pen 7, 5 → 6
}

TEST(Status, ATableWithoutChangesHasNeitherTimesNorBytes) {
  Shop shop;
  shop.run("create table products (id integer primary key)");
  shop.with_trail().track("products");
  const Status read = must(status(shop.db()));
  ASSERT_EQ(read.tables.size(), 1U);
  EXPECT_EQ(read.tables[0].changes, 0);
  EXPECT_EQ(read.tables[0].bytes, 0);
  EXPECT_FALSE(read.tables[0].first_change.has_value());
  EXPECT_FALSE(read.tables[0].last_change.has_value());
}

TEST(Status, KeepsATableThatIsNotTrackedAnyMore) {
  Shop shop;
  shop.run("create table products (id integer primary key)");
  shop.with_trail().track("products");
  shop.run("insert into products values (1)");
  must(untrack(shop.db(), "products"));
  const Status read = must(status(shop.db()));
  ASSERT_EQ(read.tables.size(), 1U);
  EXPECT_TRUE(read.tables[0].table.untracked_at.has_value());
  EXPECT_EQ(read.tables[0].changes, 1);
  EXPECT_TRUE(read.tables[0].intact);
  EXPECT_EQ(read.untracked, std::vector<std::string>{"products"});
}

TEST(Status, MeasuresValuesOfWideRowsBeyondTheFirstSlots) {
  Shop shop;
  std::string columns = "id integer primary key";
  std::string values = "1";
  for (int i = 0; i < 99; ++i) {
    columns += fmt::format(", c{}", i);
    values += ", 'ten bytes.'";
  }
  shop.run("create table wide (" + columns + ")");
  shop.with_trail().track("wide");
  shop.run("insert into wide values (" + values + ")");
  EXPECT_EQ(must(status(shop.db())).tables.at(0).bytes, 1 + 99 * 10);
}

TEST(Status, EstimatesTheBytesOfManyChangesFromASample) {
  Shop shop;
  shop.run("create table log (id integer primary key, line)");
  shop.with_trail().track("log");
  // Every other row is a hundred times as large: the sample must not keep step with that.
  shop.run(
      "with recursive n (value) as (select 10001 union all select value + 1 from n where value < "
      "50000)"
      " insert into log select value, zeroblob(iif(value % 2, 10, 1000))"
      " from n");
  const TableStatus log = must(status(shop.db())).tables.at(0);
  EXPECT_EQ(log.changes, 40000);
  const double expected = 40000 * (5 + 505.0);
  EXPECT_NEAR(static_cast<double>(log.bytes), expected, expected * 0.15);
}

TEST(Status, NamesTheTrouble) {
  Shop shop;
  shop.run(
      "create table a (id integer primary key, x);"
      "create table b (id integer primary key, x);"
      "create table c (id integer primary key, x);"
      "create table d (id integer primary key, x)");
  shop.with_trail();
  for (const char* table : {"a", "b", "c", "d"}) shop.track(table);
  shop.run("drop trigger vestige_1_update");
  shop.run("alter table b add column y");
  shop.run("alter table c rename to e");
  shop.run("drop table d");
  const Status read = must(status(shop.db()));
  ASSERT_EQ(read.tables.size(), 4U);
  const char* const kTroubles[] = {"triggers missing", "columns changed", "renamed to e",
                                   "table missing"};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_FALSE(read.tables[i].intact);
    EXPECT_EQ(read.tables[i].trouble, kTroubles[i]);
  }
  EXPECT_TRUE(read.untracked.empty());
}

}  // namespace
}  // namespace vestige
