// A transaction that took its ids before the sealer looked, and ends after it: with nobody else at work the server's
// snapshot does not know of it, and its changes are sealed all the same.
#include <chrono>
#include <thread>

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
    EXPECT_EQ(must(sealer->unfinished()).size(), 0U) << "nobody sees what it wrote";
    must(late->script("commit"));
    EXPECT_EQ(trail.verify().unsealed, 1U);
    EXPECT_EQ(trail.found, "");
    while (!sealer->done()) must(sealer->batch());
    must(sealer->sign());
    EXPECT_EQ(trail.verify().verified, 5U + static_cast<unsigned>(i));
    EXPECT_EQ(trail.found, "");
  }
}

// The same in a trail that was restored from a dump: what is open is waited for.
TEST(PostgresSealLate, InARestoredTrail) {
  Evident trail(Engine::postgres);
  trail.seal();
  must(trail.db().script("update vestige.sealer set home = '1/1', sealed = '1000000', floor = 3"));
  const auto late = trail.connect();
  must(late->script("begin; insert into p values (10, 'late', 1)"));
  const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    must(late->script("commit"));
  });
  while (!sealer->done()) must(sealer->batch());
  other.join();
  sealer->again();
  while (!sealer->done()) must(sealer->batch());
  must(sealer->sign());
  EXPECT_EQ(trail.verify().verified, 5U);
  EXPECT_EQ(trail.found, "");
}

}  // namespace
}  // namespace vestige
