// Sequencing: committed changes become entries of the tree, in the order of the commits, and so the feed. It needs no key:
// what is sequenced is signed by the sealer (docs/decisions/0018-feed.md). Safe to kill at any instant.
// Test: test/feed_sequencer_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vestige/merkle/tile.h"
#include "vestige/trail/sealing_order.h"

namespace vestige {

/// Puts what was recorded into its order.
///
///   auto sequencer = TRY(Sequencer::open(db));
///   while (!sequencer->done()) TRY(sequencer->batch());
class Sequencer {
 public:
  /// patience  how long another, or an erasure, is waited for, as PostgreSQL writes a time
  /// faults    missing (no trail, no place for the evidence), corrupt (the tree is not as it was written)
  static Result<std::unique_ptr<Sequencer>> open(Database& db, std::string_view patience = "10s");
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;
  ~Sequencer() = default;

  /// Reads the tree anew where that must be: an ERASE or another sequencer came in between, or the last batch was lost.
  ///
  /// returns  true when it was read anew
  Result<bool> refresh();

  /// Appends the next changes, in one transaction; how many: 0, too, when an ERASE or another sequencer
  /// came in between. Blocks no writer of PostgreSQL, and those of SQLite for a short write.
  ///
  /// faults   conflict (an erasure or another sequencer does not end: it can be asked again), offline,
  ///          denied (this role may not)
  Result<std::uint64_t> batch();
  /// False: since done() nothing was recorded, came to its end or was given its place. One small question.
  Result<bool> due();
  /// True when everything that is due has its place.
  bool done() const { return !lost_ && order_->done(); }
  /// Looks for changes anew.
  void again() { order_->again(); }
  /// The tree that is at hand is the one that was read or written last: false after a batch that was lost.
  bool stands() const { return !lost_; }

  /// The number of entries, and the root over them.
  std::uint64_t size() const { return stored_; }
  Hash root() const { return edge_.root(); }
  EvidenceStore& store() { return store_; }

  /// The transactions whose changes cannot have a place yet.
  Result<std::vector<Unfinished>> unfinished() { return order_->unfinished(); }

  /// Changes that could not be read, of which a part was sealed as null: the first of them since this was asked last.
  struct Unreadable {
    std::int64_t change = 0;
    std::string why;
  };
  std::vector<Unreadable> unreadable() { return std::exchange(said_, {}); }
  /// How many that were, since the sequencer was opened.
  std::uint64_t unreadable_count() const { return unreadable_; }

 private:
  Sequencer(Database& db, std::string_view patience) : store_(db), patience_(patience) {}
  Result<void> load();
  Result<void> load_once();
  Result<void> take(const Sealable& change);
  // False: an ERASE or another sequencer came in between, and what was computed is of no use.
  Result<bool> write(std::int64_t last_id, bool ended);
  Result<void> put_tree();

  EvidenceStore store_;
  std::string patience_;
  std::unique_ptr<SealingOrder> order_;
  merkle::Edge edge_;
  Bundle bundle_;                   // the last one, while it is not full
  std::vector<Bundle> full_;        // those that the batch completed
  std::string random_;              // salts that are not used yet
  EvidenceStore::Standing read_;    // what stood when the tree was read or written last
  std::uint64_t stored_ = 0;        // the size of the tree in the database
  std::vector<Unreadable> broken_;  // of the batch, the first of them
  std::uint64_t broken_count_ = 0;  // of the batch
  std::vector<Unreadable> said_;    // of what is written
  std::uint64_t unreadable_ = 0;
  bool fresh_ = false;  // refresh() was called for the next batch
  bool lost_ = false;   // the last batch: what it computed was not written
};

}  // namespace vestige
