#include "vestige/audit/stat.h"

#include <algorithm>
#include <utility>

#include "vestige/base/time.h"

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

namespace {

std::string ops_json(const TableStat& table) {
  std::string out;
  for (const auto& [op, count] : table.changes)
    out += fmt::format("{}\"{}\":{}", out.empty() ? "" : ",", name(op), count);
  return "{" + out + "}";
}

}  // namespace

std::string to_json(const TransactionStat& stat) {
  std::string tables;
  for (const TableStat& table : stat.tables)
    tables +=
        fmt::format(R"({}{{"table":{},"changes":{},"columns":{}}})", tables.empty() ? "" : ",",
                    text_json(table.table), ops_json(table), list_json(table.columns));
  return fmt::format(
      R"({{"tx":{},"from":"{}","upto":"{}","changes":{},"who":{},"reason":{},"tables":[{}]}})",
      stat.tx, format_time(stat.from), format_time(stat.upto), stat.changes, list_json(stat.who),
      list_json(stat.reasons), tables);
}

}  // namespace vestige
