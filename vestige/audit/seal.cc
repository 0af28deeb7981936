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

// The lock of the sealer in PostgreSQL: the database's own, "vest" and 4.
constexpr std::string_view kLock = "pg_catalog.pg_try_advisory_lock(1986360180, 4)";
constexpr std::string_view kUnlock = "pg_catalog.pg_advisory_unlock(1986360180, 4)";

auto not_extended(std::string why) {
  return hinted(fail(Fault::corrupt, "seal: {}; nothing is signed", why),
                "vestige verify says what was changed; docs/evidence.md says what to do");
}

}  // namespace

Result<std::unique_ptr<Sealer>> Sealer::open(Database& db, merkle::NoteSigner signer,
                                             std::string state) {
  TRY(require_trail(db));
  TRY(require_evidence(db));
  std::unique_ptr<Sealer> sealer(new Sealer(db, std::move(signer), std::move(state)));
  TRY(sealer->load());
  return sealer;
}

Sealer::~Sealer() {
  if (locked_) (void)store_.db().run(fmt::format("select {}", kUnlock));
}

Result<void> Sealer::lock() {
  if (store_.db().engine() == Engine::sqlite) return {};
  locked_ = TRY(scalar_integer(store_.db(), fmt::format("select {}", kLock))) != 0;
  if (!locked_) return fail(Fault::conflict, "seal: another sealer is at work on this trail");
  return {};
}

Result<void> Sealer::load() {
  TRY(lock());
  return load_anew();
}

Result<void> Sealer::load_anew() {
  TRY(load_tree());
  return check_state();
}

Result<void> Sealer::load_tree() {
  erasure_ = TRY(store_.last_erasure());
  bundle_ = Bundle();
  full_.clear();
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
  }
  const auto last = TRY(store_.last_checkpoint());
  if (!last.has_value()) return {};
  const std::vector<merkle::NoteKey> keys = {signer_.key()};
  const auto opened = TRY(merkle::open_appended(last->note, keys));
  TRY(must_extend(opened.checkpoint, "the trail"));
  if (opened.log() == nullptr)
    return fail(Fault::invalid, "seal: the trail is sealed by another key of the name {}",
                signer_.key().name);
  note_ = merkle::to_text(opened.note);
  signed_ = opened.checkpoint.size;
  return {};
}

Result<void> Sealer::take(const Sealable& change) {
  if (!change.broken.empty())
    return hinted(fail(Fault::corrupt, "seal change {}: {}", change.entry.id, change.broken),
                  "vestige doctor says what is out of order");
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
  if (TRY(store_.last_erasure()) != erasure_) TRY(load_anew());
  const bool sqlite = store_.db().engine() == Engine::sqlite;
  const std::int64_t limit = sqlite ? kBatchOfSqlite : kBatch;
  const auto changes = TRY(order_->next(limit));
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
  if (TRY(write(last_id, count < limit))) return static_cast<std::uint64_t>(count);
  TRY(load_anew());
  return 0;
}

Result<bool> Sealer::write(std::int64_t last_id, bool ended) {
  // Nothing new: an SQLite database need not be locked for that.
  if (last_id == 0 && store_.db().engine() == Engine::sqlite) {
    TRY(order_->advance(stored_, stored_, last_id, ended));
    return true;
  }
  auto transaction = TRY(Transaction::begin(store_.db()));
  TRY(store_.hold_erasures());
  if (TRY(store_.last_erasure()) != erasure_) return false;
  TRY(order_->advance(stored_, edge_.size(), last_id, ended));
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
  return true;
}

Result<void> Sealer::keep_state() {
  return replace_file(
      state_, merkle::to_text(merkle::Checkpoint{signer_.key().name, edge_.size(), edge_.root()}));
}

Result<std::optional<std::string>> Sealer::sign() {
  if (stored_ == 0) return std::optional<std::string>();
  TRY(keep_state());
  if (note_.has_value() && signed_ == stored_) return note_;
  const Hash root = edge_.root();
  std::string note = TRY(merkle::sign_checkpoint(signer_, stored_, root));
  auto transaction = TRY(Transaction::begin(store_.db()));
  TRY(store_.put_checkpoint(stored_, view(root), note));
  TRY(transaction.commit());
  note_ = std::move(note);
  signed_ = stored_;
  return note_;
}

}  // namespace vestige
