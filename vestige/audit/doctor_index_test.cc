// doctor and the sorted runs that find a row's changes.
#include "test/examined_shop.h"
#include "vestige/trail/sqlite/row_index.h"

namespace vestige {
namespace {

using DoctorAndTheRowIndex = ExaminedShop;

TEST_F(DoctorAndTheRowIndex, MergesTheRunsWhenThereAreMany) {
  shop_.run(
      "insert into vestige_change (id, tbl, shape, op, at, tx) values (3276799, 1, 1, 'I', 5, 1)");
  EXPECT_EQ(found(), "");
  shop_.run("insert into vestige_change (tbl, shape, op, at, tx) values (1, 1, 'I', 5, 1)");
  EXPECT_EQ(found(), "note row-index\n");
  EXPECT_EQ(findings_.at(0).message,
            "finding the changes of one row searches 200 sorted runs; merged, it is one search");
  EXPECT_EQ(found(true), "note row-index fixed\n");
  EXPECT_EQ(found(), "");
}

TEST_F(DoctorAndTheRowIndex, IndexesChangesThatWereMadeWithoutTheIndexsTrigger) {
  const Tracked table = shop_.track("products");
  const auto update = [&](int times) {
    for (int i = 0; i < times; ++i) shop_.run("update products set price = price + 1");
  };
  const auto of_row = [&] {
    return must(scalar_integer(shop_.db(),
                               "select count(distinct id) from (" + row_changes("?1", "?2") + ")",
                               {table.id, std::int64_t{1}}));
  };
  shop_.run("insert into products values (1, 'ink', 5, null)");
  update(600);
  shop_.run("drop trigger vestige_change_run");
  update(600);
  EXPECT_EQ(of_row(), 689) << "1 to 512, and 1025 to 1201";
  EXPECT_EQ(found(true), "error trail-altered fixed\n");
  EXPECT_EQ(of_row(), 1201);
  update(600);
  EXPECT_EQ(of_row(), 1801);
  EXPECT_EQ(found(), "");
}

}  // namespace
}  // namespace vestige
