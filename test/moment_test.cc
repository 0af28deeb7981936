// Moments by the names that the trail gives them, on both databases.
#include "test/evidence.h"
#include "vestige/audit/at.h"
#include "vestige/trail/access.h"

namespace vestige {
namespace {

class MomentBoth : public testing::TestWithParam<Engine> {};

INSTANTIATE_TEST_SUITE_P(Both, MomentBoth, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(MomentBoth, AreFoundByTheirNames) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> txs;
  for (int i = 0; i < 3; ++i) {
    auto scope = must(ContextScope::begin(db, Context()));
    trail.application(
        fmt::format("insert into p values ({}, 'x', 1), ({}, 'y', 2)", 100 + i, 200 + i));
    must(scope.commit());
  }
  Selection all;
  all.oldest_first = true;
  auto changes = must(read_changes(db, all));
  while (const auto change = must(changes->next())) {
    ids.push_back(change->id);
    if (txs.empty() || txs.back() != change->tx) txs.push_back(change->tx);
  }
  ASSERT_GE(ids.size(), 6U);
  ASSERT_GE(txs.size(), 3U);
  const auto upto = [&](const std::string& text) {
    return must(resolve(db, must(find_moment(db, text, Now(0)))));
  };
  const auto back = [&](std::size_t count) { return ids[ids.size() - 1 - count]; };
  const std::string last_tx = "tx:" + std::to_string(txs.back());
  EXPECT_EQ(upto("last"), back(0));
  EXPECT_EQ(upto("last~0"), back(0));
  EXPECT_EQ(upto("~"), back(1));
  EXPECT_EQ(upto("~3"), back(3));
  EXPECT_EQ(upto("last~2"), back(2));
  EXPECT_EQ(upto(std::to_string(back(1)) + "~"), back(2));
  EXPECT_EQ(upto(std::to_string(back(1))), back(1));
  EXPECT_EQ(upto(last_tx), back(0));
  EXPECT_EQ(upto(last_tx + "~"), back(2));
  EXPECT_EQ(upto(last_tx + "~2"), back(4));
  EXPECT_EQ(upto("tx:" + std::to_string(txs[txs.size() - 2])), back(2));
  EXPECT_EQ(upto("~" + std::to_string(ids.size() - 1)), ids.front());
  EXPECT_EQ(upto("~" + std::to_string(ids.size())), 0);
  EXPECT_EQ(upto(last_tx + "~1000"), 0);
  EXPECT_FALSE(must(at(db, "p", {"100"}, must(find_moment(db, "~1000", Now(0))))).has_value());
  EXPECT_TRUE(must(at(db, "p", {"102"}, must(find_moment(db, "last", Now(0))))).has_value());
  EXPECT_FALSE(
      must(at(db, "p", {"102"}, must(find_moment(db, last_tx + "~", Now(0))))).has_value());

  // A read that is recorded moves none of them, but is found by its own number.
  must(prepare_access(db));
  for (int i = 0; i < 2; ++i)
    trail.as("bob", trail.postgres() ? "select vestige.access('p', '100', purpose => 'care')"
                                     : "insert into vestige_access (kind, subject_table, "
                                       "subject_key, purpose) values ('read', 'p', "
                                       "json_array('100'), 'care')");
  const std::int64_t read = must(must(read_changes(db, {}))->next())->id;
  EXPECT_GT(read, back(0));
  EXPECT_EQ(upto("last"), back(0));
  EXPECT_EQ(upto("~3"), back(3));
  EXPECT_EQ(upto(std::to_string(read)), read);
  EXPECT_EQ(upto(std::to_string(read) + "~"), back(0));

  const auto refused = [&](const std::string& text) {
    return error_of(find_moment(db, text, Now(0))).message;
  };
  EXPECT_EQ(refused("tx:987654321"), "find tx 987654321: no such transaction");
  EXPECT_EQ(refused("tx:987654321~"), "find tx 987654321: no such transaction");
  EXPECT_EQ(refused("987654321~"), "find change 987654321: no such change");
  EXPECT_EQ(refused("tx:x"), "read the moment 'tx:x': the transaction is no number");
  EXPECT_EQ(refused("last~x"), "read the moment 'last~x': what stands behind ~ is no number");
  EXPECT_EQ(refused("yesterday~2"),
            "read the moment 'yesterday~2': ~ counts changes, or transactions");
  EXPECT_EQ(error_of(find_moment(db, "soon", Now(0))).fault, Fault::invalid);
}

}  // namespace
}  // namespace vestige
