#include "vestige/audit/seal.h"

#include <algorithm>

#include "vestige/base/file.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

// Of SQLite, so few that a writer hardly waits while they are written.
constexpr std::int64_t kBatchOfSqlite = 8192;
constexpr std::int64_t kBatch = 65536;
constexpr std::size_t kSaltsAtOnce = 1024;
constexpr std::size_t kNamed = 10;  // changes that cannot be read, named one by one

auto not_extended(std::string why) {
  return hinted(fail(Fault::corrupt, "seal: {}; nothing is signed", why),
                "vestige verify says what was changed; docs/evidence.md says what to do");
}

}  // namespace

Result<std::unique_ptr<Sealer>> Sealer::open(Database& db, merkle::NoteSigner signer,
                                             std::string state) {
  TRY(require_trail(db));
  TRY(require_sealing(db));
  std::unique_ptr<Sealer> sealer(new Sealer(db, std::move(signer), std::move(state)));
  TRY(sealer->load());
  return sealer;
}

Result<void> Sealer::load() {
  TRY(load_tree());
  return check_state();
}

Result<void> Sealer::load_tree() {
  erasure_ = TRY(store_.last_erasure());
  bundle_ = Bundle();
  full_.clear();
  broken_.clear();
  broken_count_ = 0;
  order_ = TRY(SealingOrder::open(store_));
  stored_ = TRY(store_.size());
  edge_ = TRY(merkle::Edge::at(stored_, store_.tiles()));
  bundle_.n = stored_ / merkle::kTileWidth;
  if (const auto width = static_cast<unsigned>(stored_ % merkle::kTileWidth); width > 0) {
    auto last = TRY(store_.bundle(bundle_.n));
    if (!last.has_value() || last->width != width || last->salts.size() != width * kSaltBytes)
      return not_extended("the last bundle of entries is not as it was written");
    bundle_ = std::move(*last);
  }
  return {};
}

Result<void> Sealer::must_extend(const merkle::Checkpoint& signed_before, std::string_view where) {
  if (signed_before.origin != signer_.key().name)
    return fail(Fault::invalid, "seal: {} is of {}, and the key is {}'s", where,
                signed_before.origin, signer_.key().name);
  if (signed_before.size > stored_)
    return not_extended(fmt::format(
        "the trail has {} entries, and {} were signed: it was set back to an older state", stored_,
        signed_before.size));
  const auto root =
      TRY(merkle::root_of(signed_before.size, merkle::nodes_of(store_.tiles(), stored_)));
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
  for (auto last = TRY(store_.last_checkpoint()); last.has_value();
       last = TRY(store_.last_checkpoint(last->size))) {
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

Result<void> Sealer::take(const Sealable& change) {
  if (!change.broken.empty() && ++broken_count_ <= kNamed)
    broken_.push_back({change.entry.id, change.broken});
  if (random_.empty()) random_ = TRY(random_bytes(kSaltsAtOnce * kSaltBytes));
  const std::string salts = random_.substr(random_.size() - kSaltBytes);
  random_.resize(random_.size() - kSaltBytes);
  Entry entry = change.entry;
  const Salts of = salts_at(salts, 0);
  if (change.key.has_value()) entry.key = commitment(of.key, *change.key);
  if (change.context.has_value()) entry.context = commitment(of.context, *change.context);
  if (change.values.has_value()) entry.values = commitment(of.values, *change.values);
  const std::string line = to_line(entry);
  TRY(merkle::append_entry(bundle_.entries, line));
  bundle_.salts += salts;
  bundle_.first_id = bundle_.width == 0 ? entry.id : std::min(bundle_.first_id, entry.id);
  bundle_.last_id = bundle_.width == 0 ? entry.id : std::max(bundle_.last_id, entry.id);
  edge_.append(merkle::leaf_hash(line));
  if (++bundle_.width == merkle::kTileWidth) {
    const std::uint64_t next = bundle_.n + 1;
    full_.push_back(std::exchange(bundle_, Bundle()));
    bundle_.n = next;
  }
  return {};
}

Result<std::uint64_t> Sealer::batch() {
  // The salts of the last bundle are at hand: without those that an ERASE took since.
  if (failed_ || TRY(store_.last_erasure()) != erasure_) TRY(load());
  failed_ = true;
  const bool sqlite = store_.db().engine() == Engine::sqlite;
  const std::int64_t limit = sqlite ? kBatchOfSqlite : kBatch;
  const auto changes = TRY(order_->next(limit));
  failed_ = changes != nullptr;
  if (changes == nullptr) return 0;
  std::int64_t count = 0;
  std::int64_t last_id = 0;
  while (count < limit) {
    const Sealable* change = TRY(changes->next());
    if (change == nullptr) break;
    TRY(take(*change));
    last_id = change->entry.id;
    ++count;
  }
  const bool written = TRY(write(last_id, count < limit));
  if (!written) TRY(load());
  failed_ = false;
  return written ? static_cast<std::uint64_t>(count) : 0;
}

Result<bool> Sealer::write(std::int64_t last_id, bool ended) {
  // Nothing new: an SQLite database need not be locked for that.
  if (last_id == 0 && store_.db().engine() == Engine::sqlite) {
    return order_->advance(stored_, stored_, last_id, ended);
  }
  auto transaction = TRY(Transaction::begin(store_.db()));
  TRY(store_.hold());
  if (TRY(store_.last_erasure()) != erasure_) return false;
  if (!TRY(order_->advance(stored_, edge_.size(), last_id, ended))) return false;
  if (broken_count_ > 0) TRY(store_.count_unreadable(broken_count_));
  if (edge_.size() != stored_) {
    for (const Bundle& bundle : full_) TRY(store_.put(bundle));
    if (bundle_.width > 0) TRY(store_.put(bundle_));
    for (const auto& [tile, hashes] : edge_.take_full())
      TRY(store_.put_tile(*tile.level, tile.index, hashes));
    for (const auto& [tile, hashes] : edge_.partial())
      TRY(store_.put_tile(*tile.level, tile.index, hashes));
  }
  TRY(transaction.commit());
  full_.clear();
  stored_ = edge_.size();
  unreadable_ += std::exchange(broken_count_, 0);
  said_.insert(said_.end(), broken_.begin(), broken_.end());
  broken_.clear();
  return true;
}

Result<void> Sealer::keep_state() {
  TRY(replace_file(
      state_, merkle::to_text(merkle::Checkpoint{signer_.key().name, edge_.size(), edge_.root()})));
  kept_ = edge_.size();
  return {};
}

// The state file never goes back: it is written while no other sealer can be, and only of the tree that stands.
Result<std::optional<std::string>> Sealer::sign() {
  if (stored_ == 0) return std::optional<std::string>();
  if (!failed_ && kept_ == stored_ && note_.has_value() && signed_ == stored_) return note_;
  auto transaction = TRY(Transaction::begin(store_.db()));
  TRY(store_.hold());
  if (failed_ || TRY(store_.size()) != stored_) TRY(load());
  failed_ = false;
  TRY(keep_state());
  if (!note_.has_value() || signed_ != stored_) {
    const Hash root = edge_.root();
    std::string note = TRY(merkle::sign_checkpoint(signer_, stored_, root));
    // A false one may stand in its place: then the trail is without this one until it grows.
    TRY(store_.put_checkpoint(stored_, view(root), note));
    note_ = std::move(note);
    signed_ = stored_;
  }
  TRY(transaction.commit());
  return note_;
}

}  // namespace vestige
