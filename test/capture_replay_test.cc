// The heart of capture: whatever happens to a table, its changes lead from what it was to what it is, and
// back. Random tables, values and statements; every failure prints its seed and its script.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "test/capture_random.h"

namespace vestige {
namespace {

// VESTIGE_SEED=… plays one game again.
std::uint64_t seed() {
  if (const char* given = std::getenv("VESTIGE_SEED")) return std::strtoull(given, nullptr, 10);
  return *rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>()));
}

// A database that random statements write, and the log of what was done to it.
class Play {
 public:
  explicit Play(std::uint64_t seed) : dice(seed), seed_(seed) {
    setup("pragma synchronous = off");
    setup(dice.chance(50) ? "pragma journal_mode = wal" : "pragma journal_mode = delete");
    client_ = shop.connect();
    both(dice.chance(50) ? "pragma recursive_triggers = on" : "pragma recursive_triggers = off");
    client("pragma synchronous = off");
  }

  void setup(const std::string& sql) {
    log_ += sql + ";\n";
    shop.run(sql);
  }
  void make(const RandomTable& table) {
    for (const std::string& sql : table.sql) setup(sql);
  }
  // What may fail; a failure is one more thing to survive.
  void client(const std::string& sql, const Params& values = {}) {
    const auto done = client_->run(sql, values);
    log_ += RandomStatement{sql, values}.text().substr(0, 3000) + (done.has_value() ? ";\n" : "; -- " + done.error().message + "\n");
    // The trail is never to blame.
    if (!done.has_value() && (done.error().message.find("vestige") != std::string::npos || done.error().fault == Fault::corrupt))
      failed(done.error().message);
    done.has_value() ? ++done_ : ++refused_;
  }
  void both(const std::string& sql) {
    client(sql);
  }
  void look(Witness& witness) {
    if (const std::string wrong = witness.look(); !wrong.empty()) failed(wrong);
  }
  [[noreturn]] void failed(const std::string& why) {
    throw std::runtime_error("seed " + std::to_string(seed_) + ": " + why + "\n" + log_);
  }

  std::string row_id(const RandomTable& table) { return must(live_table(shop.db(), table.name)).row_id; }

  // One transaction, or one statement without.
  void transaction(std::vector<RandomWrites>& writers) {
    const auto write = [&] {
      const RandomStatement statement = writers[dice.below(writers.size())].next();
      client(statement.sql, statement.values);
    };
    if (dice.chance(60)) return write();
    client("begin");
    for (std::size_t i = 1 + dice.below(5); i > 0; --i) {
      const bool savepoint = dice.chance(25);
      if (savepoint) client("savepoint s");
      write();
      if (savepoint && dice.chance(60)) client("rollback to s");
      if (savepoint) client("release s");
    }
    client(dice.chance(25) ? "rollback" : "commit");
    if (client_->in_transaction()) client("rollback");
  }

  Dice dice;
  Shop shop;

 private:
  std::uint64_t seed_;
  std::unique_ptr<Sqlite> client_;
  std::string log_;
  int done_ = 0;
  int refused_ = 0;
};

RC_GTEST_PROP(CaptureReplay, LeadsFromEveryStateToTheNextAndBack, ()) {
  Play play(seed());
  const RandomTable table = random_table(play.dice, play.dice.pick<std::string>({"goods", "Order", "it's \"x\"", "größe 日"}));
  play.make(table);
  play.shop.with_trail();
  Witness none(play.shop.db(), {table.name});
  std::vector<RandomWrites> early = {RandomWrites(play.dice, table, play.row_id(table), none)};
  for (int i = 0; i < 5; ++i) play.transaction(early);
  const Tracked tracked = play.shop.track(table.name);
  {
    Witness start(play.shop.db(), {});
    auto transaction = must(Transaction::begin(play.shop.db()));
    must(baseline(play.shop.db(), tracked));
    must(transaction.commit());
  }
  Witness witness(play.shop.db(), {table.name});
  std::vector<RandomWrites> writers = {RandomWrites(play.dice, table, play.row_id(table), witness)};
  for (int i = 0; i < 25; ++i) {
    play.transaction(writers);
    play.look(witness);
  }
  // From nothing, by the whole trail.
  Twin whole({});
  Selection all;
  all.oldest_first = true;
  auto changes = must(read_changes(play.shop.db(), all));
  while (auto change = must(changes->next())) whole.forward(*change);
  if (!whole.complaint().empty()) play.failed("from the baseline: " + whole.complaint());
  if (const auto wrong = differs(whole.rows(), snapshot(play.shop.db(), table.name)); !wrong.empty()) play.failed("from the baseline: " + wrong);
}

}  // namespace
}  // namespace vestige
