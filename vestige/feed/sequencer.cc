#include "vestige/feed/sequencer.h"

#include <algorithm>

#include "vestige/trail/install.h"
#include "vestige/trail/sealing.h"

namespace vestige {
namespace {

constexpr std::size_t kSaltsAtOnce = 1024;
constexpr std::size_t kUnreadableNamed = 10;  // changes that cannot be read, named one by one
constexpr int kLoads = 1000;                  // more, and something else is wrong

}  // namespace

Result<std::unique_ptr<Sequencer>> Sequencer::open(Database& db, std::string_view patience) {
  TRY(require_trail(db));
  TRY(require_sealing(db));
  std::unique_ptr<Sequencer> sequencer(new Sequencer(db, patience));
  TRY(sequencer->load());
  return sequencer;
}

// What is read while another writes is of two moments, and may look like a tree that somebody broke.
Result<void> Sequencer::load() {
  for (int again = kLoads;; --again) {
    const auto loaded = load_once();
    if (again == 0 || TRY(store_.standing()) == read_) return loaded;
  }
}

Result<void> Sequencer::load_once() {
  lost_ = true;
  bundle_ = Bundle();
  full_.clear();
  broken_.clear();
  broken_count_ = 0;
  read_ = TRY(store_.standing());
  order_ = TRY(sealing_of(store_.db())->order(store_));
  stored_ = read_.size;
  edge_ = TRY(merkle::Edge::at(stored_, store_.tiles()));
  bundle_.n = stored_ / merkle::kTileWidth;
  if (const auto width = static_cast<unsigned>(stored_ % merkle::kTileWidth); width > 0) {
    auto last = TRY(store_.bundle(bundle_.n));
    if (!last.has_value() || last->width != width || last->salts.size() != width * kSaltBytes)
      return hinted(fail(Fault::corrupt,
                         "seal: the last bundle of entries is not as it was written; nothing is "
                         "signed"),
                    "vestige verify says what was changed; docs/evidence.md says what to do");
    bundle_ = std::move(*last);
  }
  lost_ = false;
  return {};
}

// The salts of the last bundle are at hand: without those that an ERASE took since.
Result<bool> Sequencer::refresh() {
  fresh_ = false;
  const bool anew = lost_ || TRY(store_.standing()) != read_;
  if (anew) TRY(load());
  fresh_ = true;
  return anew;
}

Result<bool> Sequencer::due() {
  if (!done()) return true;
  return order_->due(stored_);
}

Result<void> Sequencer::take(const Sealable& change) {
  if (!change.broken.empty() && ++broken_count_ <= kUnreadableNamed)
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

Result<std::uint64_t> Sequencer::batch() {
  if (!fresh_) TRY(refresh());
  fresh_ = false;
  const std::int64_t limit = order_->most();
  lost_ = true;
  const auto changes = TRY(order_->next(limit));
  lost_ = changes != nullptr;
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
  lost_ = !TRY(write(last_id, count < limit));
  if (!lost_ && count > 0 && done()) TRY(sealing_of(store_.db())->index_who());
  return lost_ ? 0 : static_cast<std::uint64_t>(count);
}

Result<bool> Sequencer::write(std::int64_t last_id, bool ended) {
  if (last_id == 0 && order_->rests()) return order_->advance(stored_, stored_, last_id, ended);
  auto transaction = TRY(Transaction::begin(store_.db()));
  TRY(store_.hold(patience_));
  if (TRY(store_.standing()).erasure != read_.erasure) return false;
  if (!TRY(order_->advance(stored_, edge_.size(), last_id, ended))) return false;
  if (broken_count_ > 0) TRY(store_.count_unreadable(broken_count_));
  if (edge_.size() != stored_) TRY(put_tree());
  TRY(transaction.commit());
  full_.clear();
  stored_ = read_.size = edge_.size();
  unreadable_ += std::exchange(broken_count_, 0);
  said_.insert(said_.end(), broken_.begin(), broken_.end());
  broken_.clear();
  return true;
}

Result<void> Sequencer::put_tree() {
  for (const Bundle& bundle : full_) TRY(store_.put(bundle));
  if (bundle_.width > 0) TRY(store_.put(bundle_));
  for (const auto& [tile, hashes] : edge_.take_full())
    TRY(store_.put_tile(*tile.level, tile.index, hashes));
  for (const auto& [tile, hashes] : edge_.partial())
    TRY(store_.put_tile(*tile.level, tile.index, hashes));
  return {};
}

}  // namespace vestige
