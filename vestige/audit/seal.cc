#include "vestige/audit/seal.h"

#include "vestige/base/file.h"

namespace vestige {
namespace {

auto not_extended(std::string why) {
  return hinted(fail(Fault::corrupt, "seal: {}; nothing is signed", why),
                "vestige verify says what was changed; docs/evidence.md says what to do");
}

}  // namespace

Result<std::unique_ptr<Sealer>> Sealer::open(Database& db, merkle::NoteSigner signer,
                                             std::string state) {
  auto sequencer = TRY(Sequencer::open(db));
  std::unique_ptr<Sealer> sealer(
      new Sealer(std::move(sequencer), std::move(signer), std::move(state)));
  TRY(sealer->check_state());
  return sealer;
}

Result<void> Sealer::refresh() {
  unchecked_ = TRY(sequencer_->refresh()) || unchecked_;
  if (unchecked_) TRY(check_state());
  unchecked_ = false;
  return {};
}

Result<std::uint64_t> Sealer::batch() {
  TRY(refresh());
  return sequencer_->batch();
}

Result<void> Sealer::must_extend(const merkle::Checkpoint& signed_before, std::string_view where) {
  if (signed_before.origin != signer_.key().name)
    return fail(Fault::invalid, "seal: {} is of {}, and the key is {}'s", where,
                signed_before.origin, signer_.key().name);
  if (signed_before.size > size())
    return not_extended(fmt::format(
        "the trail has {} entries, and {} were signed: it was set back to an older state", size(),
        signed_before.size));
  const auto root = TRY(
      merkle::root_of(signed_before.size, merkle::nodes_of(sequencer_->store().tiles(), size())));
  if (root != signed_before.root)
    return not_extended(
        fmt::format("the first {} entries are not those that were signed: the trail "
                    "was rewritten, or is another one",
                    signed_before.size));
  return {};
}

Result<void> Sealer::check_state() {
  const auto known = file_bytes(state_);
  if (!known.has_value() && known.error().fault != Fault::missing)
    return tl::unexpected<Error>(known.error());
  if (known.has_value()) {
    const auto before = TRY(merkle::parse_checkpoint(*known));
    TRY(must_extend(before, fmt::format("the state in {}", state_)));
    kept_ = before.size;
  }
  // Who may write checkpoints can put one there that is none: the newest counts that this key signed.
  std::optional<Error> others;
  const std::vector<merkle::NoteKey> keys = {signer_.key()};
  EvidenceStore& store = sequencer_->store();
  for (auto last = TRY(store.last_checkpoint()); last.has_value();
       last = TRY(store.last_checkpoint(last->size))) {
    const auto opened = merkle::open_appended(last->note, keys);
    if (opened.has_value() && opened->log() != nullptr && opened->checkpoint.size == last->size) {
      TRY(must_extend(opened->checkpoint, "the trail"));
      note_ = merkle::to_text(opened->note);
      signed_ = opened->checkpoint.size;
      return {};
    }
    if (!others.has_value()) others = opened.has_value() ? of_others(*opened) : opened.error();
  }
  if (others.has_value()) return tl::unexpected<Error>(*others);
  return {};
}

Error Sealer::of_others(const merkle::OpenedCheckpoint& opened) const {
  const std::string& origin = opened.checkpoint.origin;
  if (origin != signer_.key().name)
    return {Fault::invalid, fmt::format("seal: the trail is of {}, and the key is {}'s", origin,
                                        signer_.key().name)};
  return {Fault::invalid,
          fmt::format("seal: the trail is sealed by another key of the name {}", origin)};
}

Result<void> Sealer::keep_state() {
  TRY(replace_file(
      state_, merkle::to_text(merkle::Checkpoint{signer_.key().name, size(), sequencer_->root()})));
  kept_ = size();
  return {};
}

// The state file never goes back: it is written while no other sealer can be, and only of the tree that stands.
Result<std::optional<std::string>> Sealer::sign() {
  if (sequencer_->stands()) {
    if (size() == 0) return std::optional<std::string>();
    if (kept_ == size() && note_.has_value() && signed_ == size()) return note_;
  }
  EvidenceStore& store = sequencer_->store();
  auto transaction = TRY(Transaction::begin(store.db()));
  TRY(store.hold());
  TRY(refresh());
  if (size() == 0) return std::optional<std::string>();
  TRY(keep_state());
  if (!note_.has_value() || signed_ != size()) {
    const Hash root = sequencer_->root();
    std::string note = TRY(merkle::sign_checkpoint(signer_, size(), root));
    // A false one may stand in its place: then the trail is without this one until it grows.
    TRY(store.put_checkpoint(size(), view(root), note));
    note_ = std::move(note);
    signed_ = size();
  }
  TRY(transaction.commit());
  return note_;
}

}  // namespace vestige
