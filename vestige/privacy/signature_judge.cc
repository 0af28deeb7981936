#include "vestige/privacy/signature_judge.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <map>

#include "vestige/trail/changes.h"
#include "vestige/trail/source.h"

namespace vestige {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kStride = 4096;                    // ids that are looked through at least
constexpr std::size_t kMost = 200'000;                    // uses that are kept
constexpr std::int64_t kEnd = 253'402'300'799 * kSecond;  // of the year 9999

// The transactions that have one signature.
class Uses {
 public:
  struct Use {
    std::int64_t first = 0;  // the first change under it
    std::optional<std::string> xid;
  };

  /// Whether the transaction was not known.
  bool add(const SaidContext& said) {
    const auto [place, fresh] = by_tx_.try_emplace(said.tx, Use{said.first, said.xid});
    Use& use = place->second;
    if (!fresh && said.first >= use.first) return false;
    if (!fresh) firsts_.erase(std::lower_bound(firsts_.begin(), firsts_.end(), use.first));
    use.first = said.first;
    firsts_.insert(std::upper_bound(firsts_.begin(), firsts_.end(), use.first), use.first);
    return fresh;
  }

  const Use* of(std::int64_t tx) const {
    const auto found = by_tx_.find(tx);
    return found == by_tx_.end() ? nullptr : &found->second;
  }

  std::int64_t before(std::int64_t first) const {
    return std::lower_bound(firsts_.begin(), firsts_.end(), first) - firsts_.begin();
  }

 private:
  std::map<std::int64_t, Use> by_tx_;
  std::deque<std::int64_t> firsts_;  // in order
};

class TrailJudge final : public SignatureJudge {
 public:
  TrailJudge(Database& db, ContextSigners signers) : db_(db), signers_(std::move(signers)) {}

  Result<void> judge(Change& change) override {
    if (change.erased_by("context").has_value()) {
      change.signed_word = "erased";
      return {};
    }
    // The changes of a transaction stand together, and a context is looked into once.
    if (tx_ != change.tx || context_ != change.context.fields()) {
      worth_ = signature_worth(signers_, change.context);
      if (is_well_signed(worth_.word)) worth_.word = TRY(replayed(change));
      context_ = change.context.fields();
      tx_ = change.tx;
    }
    change.signed_word = worth_.at(change.at);
    return {};
  }

 private:
  // Of a signature that holds: "replayed" where others had it before, otherwise as it was.
  Result<std::string_view> replayed(const Change& change) {
    const ContextSignature read =
        TRY(parse_context_signature(*change.context.get(kSignatureField)));
    TRY(look(change, read));
    const Uses& uses = uses_[name_of(read)];
    // A transaction that ended after one with higher ids was not there when those were looked through.
    if (uses.of(change.tx) == nullptr) TRY(load(change.tx - 1, change.id));
    const Uses::Use* own = uses.of(change.tx);
    if (uses.before(own == nullptr ? change.id : own->first) >= read.uses()) return "replayed";
    const std::string_view bound = read.bound_to();
    if (bound.empty()) return "signed";
    if (own != nullptr && !own->xid.has_value())
      return "signed";  // what it is bound to is not known
    return own != nullptr && own->xid == bound ? "bound" : "replayed";
  }

  static std::string name_of(const ContextSignature& read) {
    return read.signer + " " + read.nonce;
  }

  // All uses of a signature that stand before the change: none of those that hold is older than the signature.
  Result<void> look(const Change& change, const ContextSignature& read) {
    const bool anew = known_ > most_;
    if (anew) forget();
    if (upto_ == from_) from_ = upto_ = change.id;
    std::int64_t from = change.tx - 1;
    if (read.issued < issued_) {
      from = std::min(from, TRY(last_change_at(db_, (read.issued - kSignedEarly) * kSecond - 1)));
      issued_ = read.issued;
    }
    if (from < from_) {
      const std::int64_t low = std::max<std::int64_t>(0, std::min(from, from_ - kStride));
      TRY(load(low, from_));
      from_ = low;
    }
    if (change.id > upto_) {
      const std::int64_t last = TRY(last_change_at(db_, kEnd));
      const std::int64_t high = std::max(change.id, std::min(upto_ + kStride, last));
      TRY(load(upto_, high));
      upto_ = high;
    }
    // What one signature alone asks for is not thrown away for the next.
    if (anew) most_ = std::max(kMost, 2 * known_);
    return {};
  }

  void forget() {
    uses_.clear();
    known_ = 0;
    from_ = upto_ = 0;
    issued_ = std::numeric_limits<std::int64_t>::max();
  }

  Result<void> load(std::int64_t after, std::int64_t upto) {
    for (const SaidContext& said : TRY(source_of(db_)->said(after, upto))) {
      const auto read = parse_context_signature(said.signature);
      if (read.has_value() && uses_[name_of(*read)].add(said)) ++known_;
    }
    return {};
  }

  Database& db_;
  ContextSigners signers_;
  std::map<std::string, Uses> uses_;
  std::size_t known_ = 0;  // uses
  std::size_t most_ = kMost;
  std::int64_t from_ = 0;  // of changes behind it, and
  std::int64_t upto_ = 0;  // up to it, the uses are known
  std::int64_t issued_ =
      std::numeric_limits<std::int64_t>::max();  // of the oldest signature so far
  // The context that was judged last.
  std::vector<std::pair<std::string, std::string>> context_;
  std::int64_t tx_ = -1;
  SignatureWorth worth_;
};

}  // namespace

std::shared_ptr<SignatureJudge> signature_judge(Database& db, ContextSigners signers) {
  return std::make_shared<TrailJudge>(db, std::move(signers));
}

}  // namespace vestige
