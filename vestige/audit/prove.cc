#include "vestige/audit/prove.h"

#include <algorithm>
#include <map>

#include "vestige/merkle/proof.h"
#include "vestige/merkle/receipt.h"
#include "vestige/trail/install.h"
#include "vestige/trail/sealable.h"

namespace vestige {
namespace {

constexpr std::int64_t kGap = 4096;
constexpr std::uint64_t kBundlesAtOnce = 16;

std::optional<Disclosed> disclosed(const Salt& salt, const std::optional<std::string>& canonical) {
  if (!canonical.has_value() || is_erased(salt)) return std::nullopt;
  return Disclosed{salt, *canonical};
}

struct Wanted {
  Evidence* evidence = nullptr;
  Salts salts;
};

// Adds what the changes say.
Result<void> disclose(Database& db, std::map<std::int64_t, Wanted>& wanted) {
  for (auto first = wanted.begin(); first != wanted.end();) {
    auto last = first;
    for (auto next = std::next(last); next != wanted.end() && next->first - last->first <= kGap;
         ++next)
      last = next;
    SealingRange range;
    range.after = first->first - 1;
    range.upto = last->first;
    const auto changes = TRY(read_sealables(db, range));
    while (const Sealable* change = TRY(changes->next())) {
      const auto found = wanted.find(change->entry.id);
      if (found == wanted.end() || !change->broken.empty()) continue;
      const auto& [evidence, salts] = found->second;
      evidence->key = disclosed(salts.key, change->key);
      evidence->context = disclosed(salts.context, change->context);
      evidence->values = disclosed(salts.values, change->values);
    }
    first = std::next(last);
  }
  return {};
}

Result<std::string> last_note(EvidenceStore& store, std::string_view attempt) {
  const auto last = TRY(store.last_checkpoint());
  if (!last.has_value())
    return hinted(fail(Fault::missing, "{}: nothing is sealed yet", attempt),
                  "vestige seal --key FILE");
  return merkle::to_text(TRY(merkle::open_appended(last->note, {})).note);
}

}  // namespace

Result<std::string> prove(Database& db, std::int64_t change) {
  TRY(require_trail(db));
  TRY(require_evidence(db));
  EvidenceStore store(db);
  const std::string attempt = fmt::format("prove change {}", change);
  const std::string note = TRY(last_note(store, attempt));
  const auto checkpoint = TRY(merkle::open_checkpoint(note, {})).checkpoint;
  const auto found = TRY(store.find(change));
  if (!found.has_value() || found->index >= checkpoint.size)
    return hinted(fail(Fault::missing, "{}: it is not sealed", attempt),
                  "vestige log shows what was recorded; vestige seal seals it");
  Evidence evidence;
  evidence.index = found->index;
  evidence.entry = found->entry;
  std::map<std::int64_t, Wanted> wanted = {{change, {&evidence, found->salts}}};
  TRY(disclose(db, wanted));
  const Entry entry = TRY(parse_entry(evidence.entry));
  if (const auto part = not_bound(entry, evidence); part.has_value())
    return hinted(fail(Fault::corrupt, "{}: what stands there as its {} is not what was sealed",
                       attempt, *part),
                  "vestige verify says what else was");
  merkle::Receipt receipt;
  receipt.extra = to_line(evidence);
  receipt.index = evidence.index;
  receipt.proof = TRY(merkle::inclusion_proof(evidence.index, checkpoint.size,
                                              merkle::nodes_of(store.tiles(), checkpoint.size)));
  receipt.checkpoint = note;
  if (!merkle::included(receipt.index, checkpoint.size, merkle::leaf_hash(evidence.entry),
                        receipt.proof, checkpoint.root))
    return hinted(fail(Fault::corrupt, "{}: the tree is not the one that was signed", attempt),
                  "vestige verify says what was changed");
  return merkle::to_text(receipt);
}

Result<std::unique_ptr<Export>> Export::open(Database& db, std::optional<std::int64_t> since) {
  TRY(require_trail(db));
  TRY(require_evidence(db));
  std::unique_ptr<Export> out(new Export(db));
  TRY(out->start(since));
  return out;
}

Result<void> Export::start(std::optional<std::int64_t> since) {
  note_ = TRY(last_note(store_, "export the trail"));
  size_ = TRY(merkle::open_checkpoint(note_, {})).checkpoint.size;
  if (!since.has_value()) return {};
  next_ = size_;
  for (std::uint64_t n = 0; n * merkle::kTileWidth < size_ && next_ == size_; ++n) {
    const auto bundle = TRY(store_.bundle(n));
    if (!bundle.has_value()) break;
    std::uint64_t index = n * merkle::kTileWidth;
    for (const std::string_view line : TRY(merkle::entries_of(bundle->entries, bundle->width))) {
      if (TRY(parse_entry(line)).at >= *since) {
        next_ = std::min(index, size_);
        break;
      }
      ++index;
    }
  }
  return peaks();
}

Result<std::unique_ptr<Export>> Export::of_range(Database& db, std::uint64_t from,
                                                 const std::string& note) {
  std::unique_ptr<Export> out(new Export(db));
  out->note_ = note;
  out->size_ = TRY(merkle::open_checkpoint(note, {})).checkpoint.size;
  out->next_ = from;
  TRY(out->peaks());
  return out;
}

// The tree before the first line, where it does not begin with entry 0.
Result<void> Export::peaks() {
  if (next_ == 0) return {};
  EvidenceStart start;
  start.start = next_;
  const auto nodes = merkle::nodes_of(store_.tiles(), size_);
  std::uint64_t begin = 0;
  for (unsigned level = 64; level-- > 0;) {
    if ((next_ >> level & 1) == 0) continue;
    start.peaks.push_back(TRY(nodes({level, begin >> level})));
    begin += std::uint64_t{1} << level;
  }
  lines_.push_back(to_line(start));
  return {};
}

Result<void> Export::fill() {
  const std::uint64_t first = next_ / merkle::kTileWidth;
  const auto bundles = TRY(store_.bundles(first, first + kBundlesAtOnce));
  std::vector<Evidence> evidence;
  std::vector<Salts> salts;
  for (const Bundle& bundle : bundles) {
    if (bundle.n != first + static_cast<std::uint64_t>(&bundle - bundles.data())) break;
    const auto entries = TRY(merkle::entries_of(bundle.entries, bundle.width));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::uint64_t index = bundle.n * merkle::kTileWidth + i;
      if (index < next_ || index >= size_) continue;
      Evidence& one = evidence.emplace_back();
      one.index = index;
      one.entry = entries[i];
      salts.push_back(salts_at(bundle.salts, i));
    }
  }
  if (evidence.empty()) return fail(Fault::corrupt, "export the trail: entry {} is missing", next_);
  std::map<std::int64_t, Wanted> wanted;
  for (std::size_t i = 0; i < evidence.size(); ++i)
    wanted[entry_id(evidence[i].entry).value_or(0)] = {&evidence[i], salts[i]};
  TRY(disclose(store_.db(), wanted));
  next_ = evidence.back().index + 1;
  for (auto one = evidence.rbegin(); one != evidence.rend(); ++one) lines_.push_back(to_line(*one));
  return {};
}

Result<std::optional<std::string>> Export::next() {
  if (lines_.empty() && next_ < size_) TRY(fill());
  if (lines_.empty()) return std::optional<std::string>();
  std::string line = std::move(lines_.back());
  lines_.pop_back();
  return std::optional<std::string>(std::move(line));
}

}  // namespace vestige
