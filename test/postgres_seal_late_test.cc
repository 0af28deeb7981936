// A transaction that took its ids before the sealer looked, and ends after it: with nobody else at work the server's
// snapshot does not know of it, and its changes are sealed all the same.
#include "test/evidence.h"

namespace vestige {
namespace {

TEST(PostgresSealLate, ATransactionThatNoSnapshotKnows) {
  Evident trail(Engine::postgres);
  trail.seal();
  const auto late = trail.connect();
  for (int i = 0; i < 5; ++i) {
    must(late->script(fmt::format("begin; insert into p values ({}, 'late', 1)", 10 + i)));
    trail.seal();  // the newest transaction of all is open
    EXPECT_EQ(trail.verify().verified, 4U + static_cast<unsigned>(i));
    const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
    EXPECT_EQ(must(sealer->unfinished()).size(), 1U);
    must(late->script("commit"));
    EXPECT_EQ(trail.verify().unsealed, 1U);
    EXPECT_EQ(trail.found, "");
    while (!sealer->done()) must(sealer->batch());
    must(sealer->sign());
    EXPECT_EQ(trail.verify().verified, 5U + static_cast<unsigned>(i));
    EXPECT_EQ(trail.found, "");
  }
}

// The same in a trail that was restored from a dump: what is open is not waited for, and sealed when it ends. A row that came
// with the dump bears its xid by chance, and is not sealed once more.
TEST(PostgresSealLate, InARestoredTrail) {
  Evident trail(Engine::postgres);
  trail.seal();
  must(trail.db().script("update vestige.sealer set home = '1/1', sealed = '1000000', floor = 3"));
  const auto late = trail.connect();
  must(late->script("begin; select pg_current_xact_id()"));
  trail.attack("",
               fmt::format("begin; update vestige.change set xid = '{0}' where id = 2;"
                           "update vestige.context set xid = '{0}' where id = 2; commit",
                           must(scalar_integer(*late, "select pg_current_xact_id()::text::int8"))));
  must(late->script("insert into p values (10, 'late', 1)"));
  trail.as("bob", "insert into p values (11, 'early', 1)");
  for (int round = 0; round < 3; ++round) {
    const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
    while (!sealer->done()) must(sealer->batch());
    must(sealer->sign());
    if (round == 1) must(late->script("commit"));
    EXPECT_EQ(sealer->size(), round == 2 ? 6U : 5U) << round;
    EXPECT_EQ(trail.verify().unsealed, round == 1 ? 1U : 0U);
    EXPECT_EQ(trail.found, "reattributed 2 context\n") << "the xid is sealed as well";
  }
}

}  // namespace
}  // namespace vestige
