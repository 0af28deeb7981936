// The order in which PostgreSQL's changes are sealed: late commits, savepoints, prepared transactions, restores.
#include <cstdlib>

#include "test/evidence.h"

namespace vestige {
namespace {

class PostgresSeal : public testing::Test {
 protected:
  Evident trail{Engine::postgres};

  std::uint64_t sealed() { return trail.verify().verified; }
};

TEST_F(PostgresSeal, ALateCommitStandsBehindWhatIsSealed) {
  const auto late = trail.connect();
  must(late->script("begin; insert into p values (10, 'late', 1)"));
  trail.as("bob", "insert into p values (11, 'early', 1)");
  trail.seal();
  EXPECT_EQ(sealed(), 4U) << "nothing above the xmin of the snapshot";
  EXPECT_EQ(trail.verify().unsealed, 1U);
  const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
  while (!sealer->done()) must(sealer->batch());
  const auto waiting = must(sealer->unfinished());
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_TRUE(waiting[0].what.starts_with("transaction of postgres")) << waiting[0].what;
  must(late->script("commit"));
  sealer->again();
  while (!sealer->done()) must(sealer->batch());
  must(sealer->sign());
  EXPECT_EQ(sealed(), 6U);
  EXPECT_EQ(trail.found, "");
}

TEST_F(PostgresSeal, TransactionsThatOverlapAgainAndAgain) {
  std::vector<std::unique_ptr<Database>> open;
  for (int i = 0; i < 12; ++i) {
    open.push_back(trail.connect());
    must(open.back()->script(fmt::format("begin; insert into p values ({}, 'o', 1)", 100 + i)));
    trail.as("bob", fmt::format("insert into p values ({}, 'b', 1)", 200 + i));
    if (i >= 3) must(open[static_cast<std::size_t>(i - 3)]->script("commit"));
    trail.seal();
    trail.verify();
    EXPECT_EQ(trail.found, "") << i;
  }
  for (std::size_t i = 9; i < 12; ++i) must(open[i]->script(i == 10 ? "rollback" : "commit"));
  trail.seal();
  EXPECT_EQ(sealed(), 4U + 12U + 11U);
  EXPECT_EQ(trail.verify().unsealed, 0U);
  EXPECT_EQ(trail.found, "");
}

TEST_F(PostgresSeal, Savepoints) {
  trail.application(
      "begin; insert into p values (20, 'a', 1); savepoint s;"
      "insert into p values (21, 'b', 1); rollback to s;"
      "insert into p values (22, 'c', 1); release s; commit");
  trail.seal();
  EXPECT_EQ(sealed(), 6U);
  EXPECT_EQ(trail.found, "");
}

TEST_F(PostgresSeal, PreparedTransactionsAreWaitedFor) {
  if (must(scalar_integer(trail.db(),
                          "select current_setting('max_prepared_transactions')::int8")) == 0)
    GTEST_SKIP() << "the server has none";
  const auto other = trail.connect();
  must(other->script("begin; insert into p values (30, 'p', 1); prepare transaction 'kept'"));
  trail.as("bob", "insert into p values (31, 'q', 1)");
  trail.seal();
  EXPECT_EQ(sealed(), 4U);
  {
    const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
    const auto waiting = must(sealer->unfinished());
    ASSERT_EQ(waiting.size(), 1U);
    EXPECT_TRUE(waiting[0].what.starts_with("prepared transaction 'kept' of postgres"));
  }
  must(other->script("commit prepared 'kept'"));
  trail.seal();
  EXPECT_EQ(sealed(), 6U);
  EXPECT_EQ(trail.found, "");
}

// The same rows under another cluster's or database's name: as after pg_dump and psql.
TEST_F(PostgresSeal, ARestoredTrailIsGoneOnWith) {
  const std::string kept = trail.seal();
  trail.as("bob", "insert into p values (40, 'before the dump', 1)");
  must(trail.db().script("update vestige.sealer set home = '1/1', sealed = '1000000', floor = 3"));
  const auto late = trail.connect();
  trail.as("bob", "insert into p values (41, 'after the restore', 1)");
  trail.seal();
  const Verdict verdict = trail.verify({kept});
  EXPECT_EQ(trail.found, "");
  EXPECT_EQ(verdict.verified, 6U);
  EXPECT_EQ(verdict.unsealed, 0U);
  trail.as("bob", "insert into p values (42, 'later', 1)");
  trail.seal();
  EXPECT_EQ(sealed(), 7U);
  EXPECT_EQ(trail.found, "");
}

TEST_F(PostgresSeal, BaselineAndTruncateTakeTheirXidFirst) {
  trail.application("create table q (id int primary key); insert into q values (1), (2)");
  trail.application("select vestige.track('q', baseline => true); truncate q");
  trail.seal();
  EXPECT_EQ(sealed(), 4U + 2U + 3U);
  EXPECT_EQ(trail.found, "");
}

}  // namespace
}  // namespace vestige
