#include "vestige/report/beyond.h"

#include <algorithm>

#include "vestige/merkle/tile.h"
#include "vestige/trail/over_source.h"

namespace vestige {
namespace {

// What several EXPIREs took of one class goes by the last of them, with all that they took.
void take(std::vector<Expiry>& known, const Expiry& one) {
  const auto same = std::find_if(known.begin(), known.end(), [&](const Expiry& other) {
    return other.retention == one.retention && other.keep == one.keep;
  });
  if (same == known.end()) {
    known.push_back(one);
    return;
  }
  const std::uint64_t changes = same->changes + one.changes;
  if (one.horizon >= same->horizon) *same = one;
  same->changes = changes;
}

// A part has an entry of what these EXPIREs took.
Result<bool> has_expired_in(ExpiryStore& store, const ArchivedRange& range,
                            const std::vector<std::int64_t>& by) {
  const std::uint64_t end = (range.upto + merkle::kTileWidth - 1) / merkle::kTileWidth;
  for (const auto& [n, leaves_of] : TRY(store.leaves(range.from / merkle::kTileWidth, end)))
    for (const auto& [change, leaves] : leaves_of) {
      if (std::find(by.begin(), by.end(), change) == by.end()) continue;
      for (std::size_t i = 0; i < merkle::kTileWidth; ++i) {
        const std::uint64_t index = n * merkle::kTileWidth + i;
        if (index >= range.from && index < range.upto && leaves.has(i)) return true;
      }
    }
  return false;
}

}  // namespace

Result<Beyond> Beyond::of(Database& db, std::int64_t table) {
  Beyond out;
  auto* over = dynamic_cast<OverSource*>(&db);
  out.read_ = over != nullptr;
  ExpiryStore store(db);
  std::vector<std::int64_t> by;
  for (const Expiry& one : TRY(store.all())) {
    if (one.table != table) continue;
    by.push_back(one.change);
    if (over == nullptr || !TRY(over->has(one))) take(out.expiries_, one);
  }
  for (ArchivedRange& range : TRY(archived_ranges(db))) {
    // A part that an erasure wrote anew is recorded again.
    const auto again = std::find_if(out.parts_.begin(), out.parts_.end(), [&](const Part& one) {
      return one.range.from == range.from && one.range.upto == range.upto;
    });
    if (again != out.parts_.end()) {
      again->range = std::move(range);
      continue;
    }
    Part part;
    part.expired = !by.empty() && TRY(has_expired_in(store, range, by));
    part.range = std::move(range);
    out.parts_.push_back(std::move(part));
  }
  return out;
}

std::optional<std::int64_t> Beyond::horizon() const {
  std::optional<std::int64_t> furthest;
  for (const Expiry& one : expiries_)
    furthest = std::max(furthest.value_or(one.horizon), one.horizon);
  return furthest;
}

void Beyond::saw(const Change& change) {
  for (Part& part : parts_)
    if (change.index.has_value() && *change.index >= part.range.from &&
        *change.index < part.range.upto)
      ++part.changes;
}

Result<void> Beyond::add(Report& report) const {
  const std::size_t expired = report.add(
      {.name = "expired",
       .title = "What has expired",
       .text = "Changes of the table that were made before these times are not kept any longer. "
               "Which of them were of this row is not known any more.",
       .columns = {{"before", "before", CellKind::time},
                   {"class", "class"},
                   {"keep", "kept for"},
                   {"changes", "changes of the table", CellKind::number},
                   {"change", "by change", CellKind::number}}});
  for (const Expiry& one : expiries_)
    TRY(report.row(expired, {time_cell(one.horizon), text_cell(one.retention), text_cell(one.keep),
                             std::to_string(one.changes), number_cell(one.change)}));
  const std::size_t archives = report.add(
      {.name = "archives",
       .title = "Where it stands besides",
       .text = fmt::format(
           "Parts of archives that were written with changes of this row, or with changes of the "
           "table that have expired here. This report {}.",
           read_ ? "reads what is left of them in the archive" : "does not read them"),
       .columns = {{"time", "time", CellKind::time},
                   {"from", "from entry", CellKind::number},
                   {"upto", "up to entry", CellKind::number},
                   {"changes", "changes of the row", CellKind::number},
                   {"expired", "what expired"},
                   {"manifest", "manifest"}}});
  for (const Part& part : parts_)
    if (part.changes > 0 || part.expired)
      TRY(report.row(archives, {time_cell(part.range.at), std::to_string(part.range.from),
                                std::to_string(part.range.upto), number_cell(part.changes),
                                text_cell(part.expired ? "may have some" : ""),
                                text_cell(part.range.manifest)}));
  return {};
}

}  // namespace vestige
