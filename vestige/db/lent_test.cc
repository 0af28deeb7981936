#include "vestige/db/lent.h"

#include <gtest/gtest.h>

#include "test/temporary_directory.h"
#include "vestige/db/sqlite.h"

namespace vestige {
namespace {

class LentDatabase : public testing::Test {
 protected:
  LentDatabase() : path_((directory_.path() / "shop.db").string()) {
    auto made = Sqlite::open(path_, Sqlite::Mode::create);
    EXPECT_TRUE((*made)->script("create table t (a); insert into t values (1)").has_value());
  }

  TemporaryDirectory directory_;
  std::string path_;
};

TEST_F(LentDatabase, ForReadingCannotWrite) {
  auto lent = lend_database(path_, "", true);
  ASSERT_TRUE(lent.has_value()) << lent.error().message;
  const auto written = lent->db->run("insert into t values (2)");
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().fault, Fault::denied);
  EXPECT_EQ(*scalar_integer(*lent->db, "select count(*) from t"), 1);
}

TEST_F(LentDatabase, BreaksOffWhatTakesTooLong) {
  auto lent = lend_database(path_, "", true);
  ASSERT_TRUE(lent.has_value()) << lent.error().message;
  ASSERT_TRUE(lent->at_most(std::chrono::milliseconds(1)).has_value());
  const auto late = scalar(*lent->db,
                           "with recursive n(i) as (select 1 union all select i + 1 from n)"
                           " select count(*) from n");
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().fault, Fault::conflict);
  EXPECT_NE(late.error().hint.find("ask for less"), std::string::npos);
  ASSERT_TRUE(lent->at_most(std::chrono::minutes(1)).has_value());
  EXPECT_EQ(*scalar_integer(*lent->db, "select count(*) from t"), 1);
}

TEST_F(LentDatabase, ForWritingWrites) {
  auto lent = lend_database(path_, "", false);
  ASSERT_TRUE(lent.has_value()) << lent.error().message;
  EXPECT_TRUE(lent->db->run("insert into t values (2)").has_value());
}

}  // namespace
}  // namespace vestige
