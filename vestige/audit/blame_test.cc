// blame of single columns, on both databases.
#include "vestige/audit/blame.h"

#include "test/evidence.h"

namespace vestige {
namespace {

class BlameBoth : public testing::TestWithParam<Engine> {};

INSTANTIATE_TEST_SUITE_P(Both, BlameBoth, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(BlameBoth, TakesTheColumnsThatAreAskedFor) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  trail.as("bob", "update p set name = 'new' where id = 1");
  const Blame whole = must(blame(db, "p", {"1"}));
  ASSERT_EQ(whole.columns.size(), 3U);
  const Blame price = must(blame(db, "p", {"1"}, {"price"}));
  ASSERT_EQ(price.columns.size(), 1U);
  EXPECT_EQ(price.columns[0].column, "price");
  EXPECT_EQ(price.columns[0].change->id, 4);
  EXPECT_EQ(*price.columns[0].change->who(), "ann");
  const Blame two = must(blame(db, "p", {"1"}, {"price", "name"}));
  ASSERT_EQ(two.columns.size(), 2U);
  EXPECT_EQ(*two.columns[0].change->who(), "bob") << "in the order of the table";
  EXPECT_EQ(error_of(blame(db, "p", {"1"}, {"prize"})).message,
            "find column prize: not recorded in p, now or ever");
  trail.as("bob", "delete from p where id = 1");
  const Blame gone = must(blame(db, "p", {"1"}, {"price"}));
  EXPECT_FALSE(gone.exists);
  ASSERT_EQ(gone.columns.size(), 1U);
  EXPECT_EQ(gone.columns[0].change->id, 4);
}

TEST_P(BlameBoth, SaysThatAColumnIsGone) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  if (trail.postgres()) {
    trail.application("alter table p drop column name");
  } else {
    auto transaction = must(Transaction::begin(db));
    must(track(db, "p", Policy{.exclude = {"name"}}));
    must(transaction.commit());
  }
  trail.as("bob", "update p set price = 5 where id = 1");
  EXPECT_EQ(error_of(blame(db, "p", {"1"}, {"name"})).message,
            "blame p id=1: it has no column name any more");
}

}  // namespace
}  // namespace vestige
