#include "vestige/audit/cosign.h"

#include <algorithm>
#include <array>

#include "vestige/merkle/checkpoint.h"
#include "vestige/trail/install.h"

namespace vestige {

Result<TrailCheckpoint> TrailCheckpoint::newest(Database& db) {
  TRY(require_trail(db));
  TRY(require_evidence(db));
  TrailCheckpoint self(db);
  const auto last = TRY(self.store_->last_checkpoint());
  if (!last.has_value())
    return hinted(fail(Fault::missing, "find the trail's checkpoint: nothing is sealed yet"),
                  "vestige seal --key FILE");
  const auto opened = TRY(merkle::open_appended(last->note, {}));
  self.note_ = merkle::to_text(opened.note);
  self.size_ = opened.checkpoint.size;
  return self;
}

Result<bool> TrailCheckpoint::signed_by(const merkle::NoteKey& key) const {
  const std::array<merkle::NoteKey, 1> known = {key};
  const merkle::Note note = TRY(merkle::parse_note(note_));
  return std::any_of(note.signatures.begin(), note.signatures.end(), [&](const auto& line) {
    const auto signed_by = merkle::verified({note.text, {line}}, known);
    return signed_by.has_value() && !signed_by->empty();
  });
}

Result<merkle::Proof> TrailCheckpoint::proof_from(std::uint64_t old_size) const {
  return merkle::consistency_proof(old_size, size_, merkle::nodes_of(store_->tiles(), size_));
}

Result<void> TrailCheckpoint::keep(const merkle::NoteSignature& cosignature,
                                   const merkle::NoteKey& witness) {
  TRY(merkle::cosignature_in(cosignature.line(), note_, witness));
  TRY(store_->put_signature(size_, cosignature.line()));
  note_ += cosignature.line();
  return {};
}

}  // namespace vestige
