#include "vestige/trail/later_changes.h"

#include <algorithm>
#include <utility>

namespace vestige {

Result<LaterChanges> LaterChanges::read(Database& db, const Tracked& table, std::int64_t upto,
                                        const std::function<bool(const Row& key)>& chosen) {
  Selection selection;
  selection.table = table.id;
  selection.after = upto;
  selection.ops = {Op::insert, Op::update, Op::remove};
  selection.oldest_first = true;
  LaterChanges later;
  const auto followed = [&](const Row& key) {
    return chosen(key) || (!later.rows_.empty() && later.rows_.contains(to_json(key)));
  };
  auto changes = TRY(read_changes(db, selection));
  while (const auto change = TRY(changes->next()))
    if (followed(change->key) || (change->new_key.has_value() && followed(*change->new_key)))
      later.take(*change);
  return later;
}

Result<LaterChanges> LaterChanges::of(Database& db, const std::vector<std::int64_t>& ids) {
  LaterChanges later;
  if (ids.empty()) return later;
  Selection selection;
  selection.ids = ids;
  selection.ops = {Op::insert, Op::update, Op::remove};
  selection.oldest_first = true;
  auto changes = TRY(read_changes(db, selection));
  while (const auto change = TRY(changes->next())) later.take(*change);
  return later;
}

void LaterChanges::take(const Change& change) {
  ids_.push_back(change.id);
  if (change.lost_values() && change.op != Op::insert) lost_.push_back(change);
  const std::string key = to_json(change.key);
  if (change.op == Op::remove) {
    rows_.erase(key);
    return;
  }
  LaterRow& row = rows_.try_emplace(key, LaterRow{.then = key, .updates = {}}).first->second;
  row.came = row.came || change.op == Op::insert;
  if (change.op != Op::update) return;
  row.updates.push_back(change.id);
  if (!change.new_key.has_value()) return;
  auto moved = rows_.extract(key);
  moved.key() = to_json(*change.new_key);
  rows_.insert(std::move(moved));
}

std::vector<std::int64_t> LaterChanges::updates() const {
  std::vector<std::int64_t> all;
  for (const auto& [key, row] : rows_)
    if (!row.came) all.insert(all.end(), row.updates.begin(), row.updates.end());
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace vestige
