// A transaction that took its ids before the sealer looked, and ends after it: with nobody else at work the server's
// snapshot does not know of it, and its changes are sealed all the same.
#include <atomic>
#include <set>
#include <thread>

#include "test/evidence.h"
#include "vestige/feed/feed.h"
#include "vestige/feed/sequencer.h"

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

// Where a trail is sequenced for the first time, or was restored, others write meanwhile: between any two of the questions that are
// asked first, too.
TEST(PostgresSealLate, TheFirstTimeBesideWriters) {
  Evident trail(Engine::postgres);
  std::atomic<int> writing = 4;
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w)
    writers.emplace_back([&, w, db = std::shared_ptr<Database>(trail.connect())] {
      for (int row = 10 + w; row < 2'000; row += 4)
        must(
            db->script(fmt::format("begin; insert into p values ({0}, 'w', 1); update p set "
                                   "price = 2 where id = {0}; commit",
                                   row)));
      --writing;
    });
  while (writing > 0) {
    must(trail.db().script("update vestige.sealer set home = '1/1'"));
    const auto sequencer = must(Sequencer::open(trail.db()));
    for (int batches = 0; batches < 2; ++batches) must(sequencer->batch());
    trail.verify();
    EXPECT_EQ(trail.found, "signature\n")
        << "nobody signs; an inserted one would be one that was lost";
  }
  for (std::thread& writer : writers) writer.join();
  const auto sequencer = must(Sequencer::open(trail.db()));
  do must(sequencer->batch());
  while (!sequencer->done());
  const auto feed = must(Feed::open(trail.db(), Selection(), -1));
  std::set<std::int64_t> given;
  while (const auto change = must(feed->next()))
    EXPECT_TRUE(given.insert(change->id).second) << change->id << " came twice";
  EXPECT_EQ(static_cast<std::int64_t>(given.size()),
            must(scalar_integer(trail.db(), "select count(*) from vestige.change")));
}

}  // namespace
}  // namespace vestige
