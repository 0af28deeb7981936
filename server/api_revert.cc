// The undoing of a transaction, as it would be: nothing is changed by it.
#include <algorithm>
#include <map>

#include "server/api.h"
#include "vestige/audit/log.h"
#include "vestige/base/json.h"
#include "vestige/trail/row_history.h"

namespace vestige::server {
namespace {

constexpr std::int64_t kMostChanges = 2000;
constexpr std::size_t kMostRows = 200;
constexpr std::size_t kMostBytes = 4 << 20;

// What a transaction did to one row.
struct Touched {
  std::string table;
  RowName name;  // after it
  Row before;    // of what it changed
  Row after;
  bool came = false;  // it was not there before
  bool gone = false;  // nor after
};

void set_first(Row& row, const Row& values) {
  for (const Field& field : values)
    if (find(row, field.name) == nullptr) row.push_back(field);
}

void set_last(Row& row, const Row& values) {
  for (const Field& field : values) {
    const auto found = std::find_if(row.begin(), row.end(),
                                    [&](const Field& one) { return one.name == field.name; });
    if (found == row.end()) row.push_back(field);
    else found->value = field.value;
  }
}

class TouchedRowsOf {
 public:
  void add(const Change& change) {
    if (!of_a_row(change.op) || change.op == Op::baseline) return;
    const std::string at = place(change.table, change.key, change.row_id);
    auto found = index_.find(at);
    if (found == index_.end()) {
      Touched fresh{.table = change.table, .name = {change.key, change.row_id}};
      fresh.came = change.op == Op::insert;
      found = index_.emplace(at, rows_.size()).first;
      rows_.push_back(std::move(fresh));
    }
    Touched& row = rows_[found->second];
    row.gone = change.op == Op::remove;
    if (change.old_values.has_value()) set_first(row.before, *change.old_values);
    if (change.new_values.has_value()) set_last(row.after, *change.new_values);
    if (!change.new_key.has_value()) return;
    const std::size_t number = found->second;
    index_.erase(found);
    index_[place(change.table, *change.new_key, change.row_id)] = number;
    row.name.key = *change.new_key;
  }
  std::vector<Touched>& rows() { return rows_; }

 private:
  static std::string place(const std::string& table, const Row& key,
                           const std::optional<std::int64_t>& row_id) {
    return table + '\0' + to_json(key) +
           (tells_apart(key) ? "" : std::to_string(row_id.value_or(0)));
  }

  std::vector<Touched> rows_;
  std::map<std::string, std::size_t> index_;
};

std::string value_or_null(const Value* value) {
  return value == nullptr ? "null" : to_json(*value);
}

// What is found out about an undoing by comparison alone: no statement is tried, since one would fire triggers of whoever
// owns the table.
struct Comparison {
  std::string rows;
  std::size_t shown = 0;
  std::size_t conflicts = 0;
  std::vector<std::string> said;

  void say(const Touched& row, const std::string& what) {
    if (said.size() == kMostRows) return;
    said.push_back(fmt::format("{} {}: {}", row.table, key_text(row.name.key), what));
  }
};

// Whether a column is not as the transaction left it. Of what the trail does not have nobody can tell.
bool has_changed(const Touched& row, const Row& live, const std::string& column, Comparison& out) {
  const Value* now = find(live, column);
  const Value* left = find(row.after, column);
  if (left == nullptr) return false;
  if (now == nullptr || is_withheld(*left)) {
    out.say(row, column + (now == nullptr ? " is no column any more, and is left out"
                                          : " is kept out of the trail, and is not compared"));
    return false;
  }
  if (!identical(*now, *left)) out.say(row, column + " has changed since");
  return !identical(*now, *left);
}

// What a row is now, and what it would be.
void preview(const Touched& row, const std::optional<Row>& live, Comparison& out) {
  const bool there = live.has_value();
  bool conflict = there == row.gone;
  if (conflict) out.say(row, row.gone ? "there is such a row again" : "the row is gone since");
  std::string columns;
  for (const Field& field : row.came ? row.after : row.before) {
    const Value* now = there ? find(*live, field.name) : nullptr;
    const bool differs = there == row.gone || (there && has_changed(row, *live, field.name, out));
    conflict = conflict || differs;
    columns += fmt::format(R"({}{{"column":{},"now":{},"then":{},"conflict":{}}})",
                           columns.empty() ? "" : ",", text_json(field.name), value_or_null(now),
                           row.came ? "null" : to_json(field.value), differs);
  }
  if (conflict) ++out.conflicts;
  const std::string_view op = row.came ? "DELETE" : row.gone ? "INSERT" : "UPDATE";
  out.rows += fmt::format(R"({}{{"table":{},"key":{},"op":"{}","columns":[{}]}})",
                          out.rows.empty() ? "" : ",", text_json(row.table), to_json(row.name.key),
                          op, columns);
}

}  // namespace

Result<Answer> get_revert(Asked call) {
  const std::int64_t tx = TRY(call->id(0));
  Database& db = *TRY(call->db());
  LogRequest request;
  request.filter.tx = tx;
  request.filter.oldest_first = true;
  request.filter.limit = kMostChanges + 1;
  TouchedRowsOf touched;
  std::int64_t changes = 0;
  {
    const auto stream = TRY(log(db, request));
    while (const auto change = TRY(stream->next()))
      if (++changes <= kMostChanges) touched.add(*change);
  }
  if (changes == 0) return fail(Fault::missing, "revert of tx {}: no such transaction", tx);
  std::map<std::string, Tracked> tables;
  Comparison found;
  for (const Touched& row : touched.rows()) {
    if (row.came && row.gone) continue;
    if (++found.shown > kMostRows || found.rows.size() > kMostBytes) break;
    auto table = tables.find(row.table);
    if (table == tables.end())
      table = tables.emplace(row.table, TRY(tracked_table(db, row.table))).first;
    preview(row, TRY(live_row(db, table->second, row.name)), found);
  }
  const bool truncated =
      changes > kMostChanges || found.shown > kMostRows || found.rows.size() > kMostBytes;
  found.said.push_back(
      fmt::format("the rows were compared as they stand, and nothing was tried; what constraints "
                  "make of it, and its SQL, says vestige revert --tx {} --dry-run",
                  tx));
  return json_answer(fmt::format(
      R"({{"rows":[{}],"conflicts":{},"truncated":{},"command":"vestige revert --tx {}","sql":null,"said":{}}})",
      found.rows, found.conflicts, truncated, tx, list_json(found.said)));
}

}  // namespace vestige::server
