#include "vestige/audit/stat.h"

#include <algorithm>
#include <utility>

namespace vestige {
namespace {

void add_once(std::vector<std::string>& all, const std::string& one) {
  if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
}

TableStat& stat_of(std::vector<TableStat>& tables, const std::string& name) {
  const auto place =
      std::lower_bound(tables.begin(), tables.end(), name,
                       [](const TableStat& stat, const auto& word) { return stat.table < word; });
  if (place != tables.end() && place->table == name) return *place;
  return *tables.insert(place, TableStat{name, {}, {}});
}

}  // namespace

void TransactionStats::add(const Change& change) {
  TransactionStat& stat = open_[change.tx];
  if (stat.changes == 0) {
    stat.tx = change.tx;
    stat.upto = change.at;
  }
  stat.first = change.id;
  stat.from = change.at;
  ++stat.changes;
  if (const std::string* who = change.who(); who != nullptr) add_once(stat.who, *who);
  if (const std::string* reason = change.context.get("reason"); reason != nullptr)
    add_once(stat.reasons, *reason);
  TableStat& table = stat_of(stat.tables, change.table);
  ++table.changes[change.op];
  for (const std::string& column : change.changed_fields()) add_once(table.columns, column);
}

// A transaction's number is not above the id of its first change: what stands below it is of others.
Result<std::optional<TransactionStat>> TransactionStats::next() {
  while (!ended_) {
    if (!ahead_.has_value()) ahead_ = TRY(changes_->next());
    ended_ = !ahead_.has_value();
    if (ended_ || (!open_.empty() && ahead_->id < open_.rbegin()->first)) break;
    add(*std::exchange(ahead_, std::nullopt));
  }
  if (open_.empty()) return std::optional<TransactionStat>();
  const auto last = std::prev(open_.end());
  std::optional<TransactionStat> stat = std::move(last->second);
  open_.erase(last);
  return stat;
}

}  // namespace vestige
