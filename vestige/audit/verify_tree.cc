#include "vestige/audit/verify_tree.h"

#include <algorithm>

namespace vestige {
namespace {

constexpr std::uint64_t kBundlesAtOnce = 64;
constexpr std::size_t kHashBytes = sizeof(Hash);

}  // namespace

TreeCheck::TreeCheck(EvidenceStore& store, VerifySink& sink, Verdict& verdict,
                     std::vector<Milestone> milestones)
    : store_(store), sink_(sink), verdict_(verdict), milestones_(std::move(milestones)) {
  std::stable_sort(milestones_.begin(), milestones_.end(),
                   [](const Milestone& one, const Milestone& two) { return one.size < two.size; });
}

Result<void> TreeCheck::report(const Discrepancy& discrepancy) {
  ++verdict_.discrepancies;
  return sink_.found(discrepancy);
}

Result<std::vector<StoredEntry>> TreeCheck::next() {
  std::vector<StoredEntry> entries;
  if (size_ == 0) TRY(passed());
  if (ended_) return entries;
  const auto bundles = TRY(store_.bundles(next_bundle_, next_bundle_ + kBundlesAtOnce));
  for (const Bundle& one : bundles) {
    if (one.n != next_bundle_ || ended_) {
      whole_ = false;
      ended_ = true;
      TRY(report(
          {.code = "entries-missing",
           .message = fmt::format("the entries from {} on are not whole: bundle {} is missing"
                                  " or cut off, what comes after it is left out",
                                  size_, next_bundle_)}));
      return entries;
    }
    ++next_bundle_;
    TRY(bundle(one, entries));
    if (one.width != merkle::kTileWidth) ended_ = true;
  }
  if (bundles.size() < kBundlesAtOnce) ended_ = true;
  return entries;
}

Result<void> TreeCheck::bundle(const Bundle& bundle, std::vector<StoredEntry>& out) {
  const auto split = merkle::entries_of(bundle.entries, bundle.width);
  if (!split.has_value()) {
    TRY(report({.code = "entry-altered",
                .message = fmt::format("the entries {} to {} cannot be read: {}", size_,
                                       size_ + bundle.width - 1, split.error().message)}));
    whole_ = false;
    ended_ = true;
    return {};
  }
  const std::string stored = TRY(store_.tile(0, bundle.n));
  for (std::size_t i = 0; i < split->size(); ++i) {
    const Hash leaf = merkle::leaf_hash((*split)[i]);
    edge_.append(leaf);
    const std::string_view hash =
        std::string_view(stored).substr(std::min(stored.size(), i * kHashBytes), kHashBytes);
    const bool same = hash == view(leaf);
    hashes_.append(hash.size() == kHashBytes ? to_array<kHashBytes>(hash) : leaf);
    if (!same)
      TRY(report(
          {.code = "entry-altered",
           .change = entry_id((*split)[i]),
           .message = fmt::format("entry {} (of change {}) does not fit its leaf of the tree:"
                                  " one of them was altered",
                                  size_, entry_id((*split)[i]).value_or(0))}));
    TRY(entry((*split)[i], salts_at(bundle.salts, i), out));
    ++size_;
    TRY(passed());
  }
  return tiles(edge_.take_full());
}

Result<void> TreeCheck::entry(std::string_view line, const Salts& salts,
                              std::vector<StoredEntry>& out) {
  const auto id = entry_id(line);
  if (!id.has_value())
    return report({.code = "entry-altered", .message = fmt::format("entry {} is none", size_)});
  if (!ids_.insert(*id))
    return report(
        {.code = "sealed-twice",
         .change = *id,
         .message = fmt::format("change {} is sealed twice, the second time as entry {}: the"
                                " sealer was set back",
                                *id, size_)});
  last_id_ = std::max(last_id_, *id);
  out.push_back({*id, size_, std::string(line), salts});
  return {};
}

// The tiles above the leaves, and the widths of all.
Result<void> TreeCheck::tiles(const std::vector<merkle::Edge::Full>& made) {
  for (const auto& [tile, hashes] : made) {
    if (*tile.level == 0) continue;  // every leaf was looked at
    if (TRY(store_.tile(*tile.level, tile.index)) != hashes)
      TRY(report({.code = "tree-altered",
                  .message = fmt::format("{} does not fit the entries below it", path(tile))}));
  }
  return {};
}

// Whether the tree has what was signed when it had this size.
Result<void> TreeCheck::passed() {
  for (; milestone_ < milestones_.size() && milestones_[milestone_].size == size_; ++milestone_) {
    const Milestone& one = milestones_[milestone_];
    if (edge_.root() == one.root) {
      good_ = size_;
      if (one.kept) kept_good_ = size_;
      if (one.kept) verdict_.kept.push_back(one.name);
      continue;
    }
    if (hashes_.root() == one.root) continue;  // entries were altered; they are named
    TRY(report(
        {.code = "rewritten",
         .message = fmt::format("the first {} entries are not those of {}: of the entries from {}"
                                " on some were rewritten",
                                size_, one.name, one.kept ? kept_good_ : good_)}));
  }
  return {};
}

Result<void> TreeCheck::finish() {
  for (const auto& [tile, hashes] : edge_.partial()) {
    if (*tile.level == 0) continue;
    if (!TRY(store_.tile(*tile.level, tile.index)).starts_with(hashes))
      TRY(report({.code = "tree-altered",
                  .message = fmt::format("{} does not fit the entries below it", path(tile))}));
  }
  return {};
}

}  // namespace vestige
