// The sealing order of PostgreSQL under random transactions that overlap: open for long, prepared, aborted, with subtransactions.
// Whatever is visible is sealed at once, and each change exactly once, whoever seals, in whatever batches, and wherever it is stopped.
// VESTIGE_SEED=… plays one again.
#include <set>

#include "test/capture_random.h"
#include "test/evidence.h"
#include "vestige/trail/sealing.h"

namespace vestige {
namespace {

// Sessions that write at random.
class Writers {
 public:
  Writers(Evident& trail, Dice& dice) : trail_(trail), dice_(dice) {
    for (int i = 0; i < 6; ++i) sessions_.push_back({trail.connect()});
  }

  void step() {
    Session& one = sessions_[dice_.below(sessions_.size())];
    if (!one.open) {
      one.open = dice_.chance(80);
      one.savepoints = 0;
      if (one.open) run(one, "begin");
    }
    switch (dice_.below(9)) {
      case 0:
        if (one.open) run(one, fmt::format("savepoint s{}", ++one.savepoints));
        break;
      case 1:
        if (one.savepoints > 0)
          run(one, fmt::format("rollback to s{}", 1 + dice_.below(one.savepoints)));
        break;
      case 2: end(one); break;
      case 3:
        // An xid, and nothing recorded.
        run(one, "select pg_current_xact_id()");
        break;
      default:
        for (std::size_t i = dice_.below(4) + 1; i > 0; --i)
          run(one, fmt::format("insert into p values ({}, 'w', 1)", ++row_));
    }
    if (!prepared_.empty() && dice_.chance(15)) finish(dice_.below(prepared_.size()));
  }
  void finish_all() {
    for (Session& one : sessions_)
      if (one.open) end(one);
    while (!prepared_.empty()) finish(0);
  }

 private:
  struct Session {
    std::unique_ptr<Database> db;
    bool open = false;
    std::size_t savepoints = 0;
  };

  static void run(Session& one, const std::string& sql) { must(one.db->script(sql)); }
  void end(Session& one) {
    if (!one.open) return;
    one.open = false;
    const std::string name = fmt::format("w{}", ++row_);
    switch (dice_.below(6)) {
      case 0: return run(one, "rollback");
      case 1:
        run(one, "prepare transaction '" + name + "'");
        prepared_.push_back(name);
        return;
      default: return run(one, "commit");
    }
  }
  void finish(std::size_t which) {
    must(trail_.connect()->script((dice_.chance(70) ? "commit prepared '" : "rollback prepared '") +
                                  prepared_[which] + "'"));
    prepared_.erase(prepared_.begin() + static_cast<std::ptrdiff_t>(which));
  }

  Evident& trail_;
  Dice& dice_;
  std::vector<Session> sessions_;
  std::vector<std::string> prepared_;
  std::int64_t row_ = 1000;
};

std::set<std::int64_t> visible(Database& db) {
  std::set<std::int64_t> ids;
  auto rows = must(db.query("select id from vestige.change"));
  while (must(rows->next()) == Step::row) ids.insert(rows->integer(0));
  return ids;
}

// Who follows the trail without a key: batches of a few, stopped before or after the position is written.
class Follower {
 public:
  // What was sealed when it comes is behind it.
  Follower(Evident& trail, Dice& dice) : trail_(trail), dice_(dice) {
    trail.seal();
    given_ = visible(trail.db());
  }

  // Until everything that is due is given out.
  void follow() {
    const std::set<std::int64_t> due = visible(trail_.db());
    for (;;) {
      EvidenceStore store(trail_.db());
      const auto order = must(sealing_of(store.db())->order(store));
      bool stopped = false;
      while (!stopped && !order->done()) stopped = !batch(store, *order);
      if (!stopped) break;
    }
    for (const std::int64_t id : due) EXPECT_TRUE(given_.contains(id)) << id << " waits";
  }
  const std::set<std::int64_t>& given() const { return given_; }

 private:
  bool batch(EvidenceStore& store, SealingOrder& order) {
    const auto limit = static_cast<std::int64_t>(1 + dice_.below(5));
    std::vector<std::int64_t> ids;
    {
      const auto changes = must(order.next(limit));
      if (changes == nullptr) return true;
      while (static_cast<std::int64_t>(ids.size()) < limit) {
        const Sealable* change = must(changes->next());
        if (change == nullptr) break;
        ids.push_back(change->entry.id);
      }
    }
    if (dice_.chance(10)) return false;
    auto transaction = must(Transaction::begin(trail_.db()));
    must(store.hold());
    EXPECT_TRUE(
        must(order.advance(given_.size(), given_.size() + ids.size(), ids.empty() ? 0 : ids.back(),
                           static_cast<std::int64_t>(ids.size()) < limit)));
    if (dice_.chance(10)) return false;
    must(transaction.commit());
    for (const std::int64_t id : ids) EXPECT_TRUE(given_.insert(id).second) << id << " again";
    return !dice_.chance(10);
  }

  Evident& trail_;
  Dice& dice_;
  std::set<std::int64_t> given_;
};

std::vector<std::uint64_t> seeds() {
  if (std::getenv("VESTIGE_SEED") != nullptr) return {drawn_seed()};
  return {1, 2, 3, 4, 5, 6, 7, 8};
}

TEST(PostgresSealRandom, WhatIsVisibleIsSealedOnce) {
  for (const std::uint64_t seed : seeds()) {
    SCOPED_TRACE(fmt::format("VESTIGE_SEED={}", seed));
    Dice dice(seed);
    Evident trail(Engine::postgres);
    Writers writers(trail, dice);
    for (int round = 0; round < 30; ++round) {
      for (std::size_t i = dice.below(8); i > 0; --i) writers.step();
      // The trail comes to another cluster, as far as the sealer can see.
      if (dice.chance(10)) must(trail.db().script("update vestige.sealer set home = '1/1'"));
      if (dice.chance(20)) {
        const auto sealer =
            must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
        must(sealer->batch());  // and stopped
      }
      trail.seal();
      EXPECT_EQ(trail.verify().unsealed, 0U);
      ASSERT_EQ(trail.found, "");
    }
    writers.finish_all();
    trail.seal();
    const Verdict verdict = trail.verify();
    EXPECT_EQ(trail.found, "");
    EXPECT_EQ(verdict.verified, visible(trail.db()).size());
    ASSERT_FALSE(HasFailure());
  }
}

TEST(PostgresSealRandom, WhoeverFollowsAndWhereverItStops) {
  for (const std::uint64_t seed : seeds()) {
    SCOPED_TRACE(fmt::format("VESTIGE_SEED={}", seed));
    Dice dice(seed);
    Evident trail(Engine::postgres);
    Writers writers(trail, dice);
    Follower follower(trail, dice);
    for (int round = 0; round < 60; ++round) {
      for (std::size_t i = dice.below(8); i > 0; --i) writers.step();
      follower.follow();
      ASSERT_FALSE(HasFailure()) << round;
    }
    writers.finish_all();
    follower.follow();
    EXPECT_EQ(follower.given(), visible(trail.db()));
  }
}

}  // namespace
}  // namespace vestige
