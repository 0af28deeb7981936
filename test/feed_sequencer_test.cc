// Sequencing without a key on both databases: what has a place in the tree, what verify says of it, and who signs it.
#include "test/erase.h"
#include "vestige/feed/sequencer.h"

namespace vestige {
namespace {

using FeedSequencer = EvidenceTest;

INSTANTIATE_TEST_SUITE_P(Both, FeedSequencer, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

std::uint64_t sequence(Database& db) {
  const auto sequencer = must(Sequencer::open(db));
  while (!sequencer->done()) must(sequencer->batch());
  return sequencer->size();
}

TEST_P(FeedSequencer, NothingIsProvedUntilItIsSigned) {
  EXPECT_EQ(sequence(trail.db()), 4U);
  Verdict verdict = trail.verify({}, false);
  EXPECT_EQ(trail.found, "");
  EXPECT_EQ(verdict.origin, "");
  EXPECT_EQ(verdict.unsigned_entries, 4U);
  EXPECT_EQ(verdict.unsealed, 0U);
  EXPECT_EQ(verdict.verified, 0U);
  trail.verify();
  EXPECT_EQ(trail.found, "signature\n") << "a key was named, and it signed nothing";

  const std::string checkpoint = trail.seal();
  EXPECT_EQ(checkpoint.substr(0, 16), "log.example/p\n4\n");
  trail.as("bob", "insert into p values (9, 'x', 1)");
  EXPECT_EQ(sequence(trail.db()), 5U);
  verdict = trail.verify({checkpoint});
  EXPECT_EQ(trail.found, "");
  EXPECT_EQ(verdict.verified, 4U);
  EXPECT_EQ(verdict.size, 4U);
  EXPECT_EQ(verdict.unsigned_entries, 1U);
  EXPECT_EQ(trail.seal().substr(0, 16), "log.example/p\n5\n");
  EXPECT_EQ(trail.verify({checkpoint}).verified, 5U);
  EXPECT_EQ(trail.found, "");
}

TEST_P(FeedSequencer, SealersAndSequencersTakeTurns) {
  const auto other = trail.connect();
  const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
  const auto sequencer = must(Sequencer::open(*other));
  std::vector<std::string> kept;
  std::int64_t row = 100;
  for (int round = 0; round < 6; ++round) {
    trail.as("bob", fmt::format("insert into p values ({}, 'x', 1), ({}, 'y', 2)", row, row + 1));
    row += 2;
    sequencer->again();
    while (!sequencer->done()) must(sequencer->batch());
    if (round % 2 == 0) {
      trail.as("bob", fmt::format("insert into p values ({}, 'z', 1)", row++));
      sealer->again();
      while (!sealer->done()) must(sealer->batch());
    }
    kept.push_back(must(sealer->sign()).value_or(""));
  }
  sealer->again();
  while (!sealer->done()) must(sealer->batch());
  kept.push_back(must(sealer->sign()).value_or(""));
  EXPECT_EQ(trail.verify(kept).verified, 4U + 6U * 2U + 3U);
  EXPECT_EQ(trail.found, "");
}

// What another sequenced is held against what was signed before it is signed.
TEST_P(FeedSequencer, ATreeThatAnotherMadeIsLookedIntoBeforeItIsSigned) {
  trail.seal();
  const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
  trail.attack("delete from {}bundle");
  trail.attack("delete from {}tile");
  trail.attack("delete from {}sealer");
  trail.as("bob", "update p set price = 12 where id = 1");
  trail.attack("update vestige_change set at = at + 1",
               "update vestige.change set at = at + interval '1 s'");
  EXPECT_EQ(sequence(trail.db()), 5U);
  const auto refused = sealer->batch();
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("the first 4 entries are not those that were signed"),
            std::string::npos)
      << refused.error().message;
  for (int again = 0; again < 2; ++again) {
    EXPECT_FALSE(sealer->batch().has_value()) << "however often it is asked";
    EXPECT_FALSE(sealer->sign().has_value());
  }
}

// An ERASE between two batches: the salts that it took do not come back.
TEST_P(FeedSequencer, AnErasureInBetween) {
  const auto other = trail.connect();
  const auto sequencer = must(Sequencer::open(*other));
  while (!sequencer->done()) must(sequencer->batch());
  must(erase(trail.db(), row("1"), because()));
  trail.as("bob", "insert into p values (9, 'x', 1)");
  sequencer->again();
  while (!sequencer->done()) must(sequencer->batch());
  trail.seal();
  trail.verify();
  EXPECT_EQ(trail.found, "");
}

TEST_P(FeedSequencer, ATreeThatIsNotWholeIsNotGoneOnWith) {
  sequence(trail.db());
  trail.attack("update vestige_bundle set salts = x'00'",
               "update vestige.bundle set salts = '\\x00'");
  EXPECT_EQ(error_of(Sequencer::open(trail.db())).message,
            "seal: the last bundle of entries is not as it was written; nothing is signed");
}

}  // namespace
}  // namespace vestige
