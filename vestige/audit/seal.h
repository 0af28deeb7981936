// seal: committed changes become entries of the tree (feed/sequencer), and the tree is signed
// (docs/decisions/0004-evidence.md). Safe to kill at any instant. Test: test/evidence_seal_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/feed/sequencer.h"
#include "vestige/merkle/checkpoint.h"

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

  /// Seals the next changes, as Sequencer::batch; what another sequenced meanwhile is looked into first.
  ///
  /// faults   conflict (an erasure or another sealer does not end: it can be asked again), offline,
  ///          corrupt (the tree does not extend what was signed)
  Result<std::uint64_t> batch();
  /// True when everything that can be sealed is.
  bool done() const { return sequencer_->done(); }
  /// Looks for changes anew.
  void again() { sequencer_->again(); }

  /// Signs the tree, when it grew since it was signed last: first the state file, then the signature.
  ///
  /// returns  the last checkpoint; nothing when no change was ever sealed
  Result<std::optional<std::string>> sign();

  std::uint64_t size() const { return sequencer_->size(); }
  /// The transactions whose changes cannot be sealed yet.
  Result<std::vector<Unfinished>> unfinished() { return sequencer_->unfinished(); }
  std::vector<Sequencer::Unreadable> unreadable() { return sequencer_->unreadable(); }
  std::uint64_t unreadable_count() const { return sequencer_->unreadable_count(); }

 private:
  Sealer(std::unique_ptr<Sequencer> sequencer, merkle::NoteSigner signer, std::string state)
      : sequencer_(std::move(sequencer)), signer_(std::move(signer)), state_(std::move(state)) {}
  Result<void> refresh();
  Result<void> check_state();
  Error of_others(const merkle::OpenedCheckpoint& opened) const;
  Result<void> must_extend(const merkle::Checkpoint& signed_before, std::string_view where);
  Result<void> keep_state();

  std::unique_ptr<Sequencer> sequencer_;
  merkle::NoteSigner signer_;
  std::string state_;
  std::optional<std::string> note_;  // the last checkpoint
  std::uint64_t signed_ = 0;         // its size
  std::uint64_t kept_ = 0;           // the size in the state file
  bool unchecked_ = false;  // the tree was read anew, and not yet held against what was signed
};

}  // namespace vestige
