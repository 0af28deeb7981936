// seal: committed changes become entries of the tree, and the tree is signed
// (docs/decisions/0004-evidence.md). Safe to kill at any instant. Test: test/evidence_seal_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/merkle/checkpoint.h"
#include "vestige/trail/sealing_order.h"

namespace vestige {

/// Seals one database with one key.
///
///   auto sealer = TRY(Sealer::open(db, signer, "seal.key.state"));
///   while (!sealer->done()) TRY(sealer->batch());
///   const auto checkpoint = TRY(sealer->sign());
class Sealer {
 public:
  /// Looks whether the tree extends what was signed last: by the state file, and by the trail's own
  /// last checkpoint.
  ///
  /// state    size and root of what was signed last; made when it is not there
  /// faults   missing (no trail, no place for the evidence), invalid (the trail is sealed by another key), corrupt (it does not extend what was signed)
  static Result<std::unique_ptr<Sealer>> open(Database& db, merkle::NoteSigner signer,
                                              std::string state);
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;
  ~Sealer() = default;

  /// Seals the next changes, in one transaction; how many: 0, too, when an ERASE or another sealer
  /// came in between. Blocks no writer of PostgreSQL, and those of
  /// SQLite for a short write.
  ///
  /// faults   conflict (an erasure or another sealer does not end: it can be asked again), offline
  Result<std::uint64_t> batch();
  /// True when everything that can be sealed is.
  bool done() const { return !failed_ && order_->done(); }
  /// Looks for changes anew.
  void again() { order_->again(); }

  /// Signs the tree, when it grew since it was signed last: first the state file, then the signature.
  ///
  /// returns  the last checkpoint; nothing when no change was ever sealed
  Result<std::optional<std::string>> sign();

  std::uint64_t size() const { return edge_.size(); }
  /// The transactions whose changes cannot be sealed yet.
  Result<std::vector<Unfinished>> unfinished() { return order_->unfinished(); }

  /// Changes that could not be read, of which a part was sealed as null: the first of them since this was asked last.
  struct Unreadable {
    std::int64_t change = 0;
    std::string why;
  };
  std::vector<Unreadable> unreadable() { return std::exchange(said_, {}); }
  /// How many that were, since the sealer was opened.
  std::uint64_t unreadable_count() const { return unreadable_; }

 private:
  Sealer(Database& db, merkle::NoteSigner signer, std::string state)
      : store_(db), signer_(std::move(signer)), state_(std::move(state)) {}
  Result<void> load();
  Result<void> load_tree();
  Result<void> check_state();
  Error of_others(const merkle::OpenedCheckpoint& opened) const;
  Result<void> must_extend(const merkle::Checkpoint& signed_before, std::string_view where);
  Result<void> keep_state();
  Result<void> take(const Sealable& change);
  // False: an ERASE or another sealer came in between, and what was computed is of no use.
  Result<bool> write(std::int64_t last_id, bool ended);

  EvidenceStore store_;
  merkle::NoteSigner signer_;
  std::string state_;
  std::unique_ptr<SealingOrder> order_;
  merkle::Edge edge_;
  Bundle bundle_;                    // the last one, while it is not full
  std::vector<Bundle> full_;         // those that the batch completed
  std::string random_;               // salts that are not used yet
  std::int64_t erasure_ = 0;         // the last one when the tree was read
  std::uint64_t stored_ = 0;         // the size of the tree in the database
  std::optional<std::string> note_;  // the last checkpoint
  std::uint64_t signed_ = 0;         // its size
  std::uint64_t kept_ = 0;           // the size in the state file
  std::vector<Unreadable> broken_;   // of the batch, the first of them
  std::uint64_t broken_count_ = 0;   // of the batch
  std::vector<Unreadable> said_;     // of what is written
  std::uint64_t unreadable_ = 0;
  bool failed_ = false;  // the last batch: what it computed was not written
};

}  // namespace vestige
