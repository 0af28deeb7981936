#include "vestige/source/holding.h"

#include <limits>
#include <utility>

#include "vestige/record/taken.h"
#include "vestige/source/archived_change.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/spelling.h"

namespace vestige {
namespace {

// Changes of an archive as they hold today.
class Holding final : public Changes {
 public:
  Holding(std::unique_ptr<Changes> archived, const ArchiveView& kept, bool by_key, bool by_who,
          bool placed)
      : archived_(std::move(archived)),
        kept_(kept),
        by_key_(by_key),
        by_who_(by_who),
        placed_(placed) {}

  Result<std::optional<Change>> next() override {
    while (auto change = TRY(archived_->next())) {
      const auto index = change->index;
      if (!placed_) change->index.reset();
      if (!kept_.alone && !(index.has_value() && kept_.let_go(*index))) continue;
      if (const auto taken = kept_.erased.find(change->id); taken != kept_.erased.end())
        if (!take(*change, taken->second)) continue;
      if (kept_.opening != nullptr) TRY(kept_.opening->open(*change));
      return change;
    }
    return std::optional<Change>();
  }

 private:
  // Of what was erased later nothing is left; false where a change was chosen by what was erased of it.
  bool take(Change& change, const std::vector<ErasedPart>& parts) const {
    for (const ErasedPart& part : parts) {
      if (change.erased_by(part.part).has_value()) continue;
      if (part.part == "key" ? by_key_ : part.part != "values" && by_who_) return false;
      lose(change, part);
    }
    return true;
  }

  std::unique_ptr<Changes> archived_;
  const ArchiveView& kept_;
  bool by_key_;
  bool by_who_;
  bool placed_;
};

}  // namespace

std::vector<ArchivePart> asked_parts(const ArchiveView& kept) {
  return kept.alone || !kept.expired.empty() ? kept.parts : std::vector<ArchivePart>();
}

std::uint64_t ArchiveView::let_go_in(std::uint64_t from, std::uint64_t upto) const {
  std::uint64_t count = 0;
  // Bundles of which nothing went are passed over.
  for (auto bundle = expired.lower_bound(from / merkle::kTileWidth);
       bundle != expired.end() && bundle->first * merkle::kTileWidth < upto; ++bundle)
    for (std::uint64_t i = 0; i < merkle::kTileWidth; ++i) {
      const std::uint64_t index = bundle->first * merkle::kTileWidth + i;
      if (index >= from && index < upto && let_go(index)) ++count;
    }
  return count;
}

std::unique_ptr<Changes> holding(std::unique_ptr<Changes> archived, const ArchiveView& kept,
                                 bool by_key, bool by_who, bool placed) {
  return std::make_unique<Holding>(std::move(archived), kept, by_key, by_who, placed);
}

Result<ArchiveView> kept_for(Database& db, std::vector<ArchivePart> parts) {
  ArchiveView kept{std::move(parts), false, {}, {}};
  const auto known = TRY(recorded_parts(db));
  for (const ArchivePart& part : kept.parts)
    if (std::find(known.begin(), known.end(), recorded(part)) == known.end())
      return hinted(fail(Fault::corrupt, "read the archive part {}: {} has no record of it",
                         part.folder, db.where()),
                    "it is another trail's, or was altered: vestige archive verify says which; it "
                    "can be read where no "
                    "database is named");
  if (!TRY(ExpiryStore(db).stands())) return kept;
  kept.expired = TRY(ExpiryStore(db).leaves(
      0, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())));
  auto rows = TRY(db.query("select erased, change, parts from " + spelling_of(db).table("erased") +
                           " order by change"));
  while (TRY(rows->next()) == Step::row) {
    const std::string list = rows->text(2);
    for (const TakenPart& part : taken_parts(list))
      kept.erased[rows->integer(0)].push_back({std::string(part.name), rows->integer(1)});
  }
  return kept;
}

}  // namespace vestige
