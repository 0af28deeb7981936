// The tree against its tiles and against what was signed: a step of verify.
#pragma once

#include <string>
#include <vector>

#include "vestige/audit/verify.h"
#include "vestige/audit/verify_changes.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/id_set.h"

namespace vestige {

/// A checkpoint that the tree must agree with.
struct Milestone {
  std::uint64_t size = 0;
  Hash root{};
  std::string name;   // "the checkpoint of size 12", "kept.txt"
  bool kept = false;  // by the auditor
};

class TreeCheck {
 public:
  TreeCheck(EvidenceStore& store, VerifySink& sink, Verdict& verdict,
            std::vector<Milestone> milestones);

  /// The next bundles, checked; their entries. Empty at the end.
  Result<std::vector<StoredEntry>> next();
  /// After the last of them.
  Result<void> finish();

  /// How many entries there are.
  std::uint64_t size() const { return size_; }
  /// Every entry could be read.
  bool whole() const { return whole_; }
  bool sealed(std::int64_t change) const { return ids_.contains(change); }
  std::int64_t last_id() const { return last_id_; }

 private:
  Result<void> bundle(const Bundle& bundle, std::vector<StoredEntry>& out);
  Result<void> entry(std::string_view line, const Salts& salts, std::vector<StoredEntry>& out);
  Result<void> leaves(const Bundle& bundle, const std::vector<std::string_view>& entries);
  Result<void> tiles(const std::vector<merkle::Edge::Full>& made);
  Result<void> passed();
  Result<void> report(const Discrepancy& discrepancy);

  EvidenceStore& store_;
  VerifySink& sink_;
  Verdict& verdict_;
  std::vector<Milestone> milestones_;  // by size
  std::size_t milestone_ = 0;          // the next one
  std::uint64_t good_ = 0;             // the size of the last that agreed
  std::uint64_t kept_good_ = 0;        // and of the last kept one: the trail's own may be forged
  std::uint64_t size_ = 0;
  std::uint64_t next_bundle_ = 0;
  bool ended_ = false;
  bool whole_ = true;
  merkle::Edge edge_;        // from the entries
  merkle::Frontier hashes_;  // from the tiles of level 0
  IdSet ids_;
  std::int64_t last_id_ = 0;
};

}  // namespace vestige
