// The trail's own checkpoint, cosigned by witnesses: their lines stand behind the log's signature, where verify and the
// receipts find them. Test: test/evidence_cosign_test.cc.
#pragma once

#include <memory>
#include <string>

#include "vestige/db/database.h"
#include "vestige/merkle/proof.h"
#include "vestige/merkle/witness.h"
#include "vestige/trail/evidence_store.h"

namespace vestige {

class TrailCheckpoint {
 public:
  /// The trail's newest.
  ///
  /// faults   missing (no trail, nothing is sealed), corrupt
  static Result<TrailCheckpoint> newest(Database& db);

  /// The signed note, with the cosignatures that were put behind it.
  const std::string& note() const { return note_; }
  std::uint64_t size() const { return size_; }

  /// True when this key has signed it; lines that only claim to be of it do not count.
  ///
  /// faults   corrupt
  Result<bool> signed_by(const merkle::NoteKey& key) const;

  /// That it extends the tree of so many entries; empty for 0.
  ///
  /// faults   invalid (more entries than it has), corrupt
  Result<merkle::Proof> proof_from(std::uint64_t old_size) const;

  /// Puts a cosignature behind the note, for good.
  ///
  /// faults   corrupt (it is not one of this key), denied
  Result<void> keep(const merkle::NoteSignature& cosignature, const merkle::NoteKey& witness);

 private:
  explicit TrailCheckpoint(Database& db) : store_(std::make_unique<EvidenceStore>(db)) {}

  std::unique_ptr<EvidenceStore> store_;
  std::uint64_t size_ = 0;
  std::string note_;
};

}  // namespace vestige
