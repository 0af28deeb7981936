// The undoing of a transaction, as it would be: nothing is changed by it.
#include <algorithm>
#include <map>

#include "server/api.h"
#include "vestige/audit/log.h"
#include "vestige/audit/revert.h"
#include "vestige/base/json.h"
#include "vestige/trail/row_history.h"

namespace vestige::server {
namespace {

constexpr std::int64_t kMostChanges = 2000;
constexpr std::size_t kMostRows = 200;
constexpr std::size_t kMostStatements = 200;
constexpr std::size_t kMostBytes = 256 << 10;

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

// What a row is now, and what it would be.
std::string preview_json(const Touched& row, const std::optional<Row>& live) {
  const Row& wanted = row.came ? row.after : row.before;
  std::string columns;
  for (const Field& field : wanted) {
    const Value* now = live.has_value() ? find(*live, field.name) : nullptr;
    const Value* left = find(row.after, field.name);
    const bool as_left =
        row.gone ? !live.has_value() : now != nullptr && left != nullptr && identical(*now, *left);
    columns += fmt::format(R"({}{{"column":{},"now":{},"then":{},"conflict":{}}})",
                           columns.empty() ? "" : ",", text_json(field.name), value_or_null(now),
                           row.came ? "null" : to_json(field.value), !as_left);
  }
  const std::string_view op = row.came ? "DELETE" : row.gone ? "INSERT" : "UPDATE";
  return fmt::format(R"({{"table":{},"key":{},"op":"{}","columns":[{}]}})", text_json(row.table),
                     to_json(row.name.key), op, columns);
}

// The statements of a patch, as many as somebody reads.
class Statements final : public Sink {
 public:
  Result<void> statement(const std::string& sql) override {
    bytes_ += sql.size();
    if (all.size() < kMostStatements && bytes_ <= kMostBytes) all.push_back(sql);
    else more = true;
    return {};
  }
  std::vector<std::string> all;
  bool more = false;

 private:
  std::size_t bytes_ = 0;
};

// What the database itself makes of it: in a transaction that it rolls back.
struct Trial {
  std::vector<std::string> said;
  std::string sql = "null";
  std::size_t conflicts = 0;
  bool more = false;
};

Trial trial_of(Call& call, std::int64_t tx) {
  Trial out;
  const auto writer = call.writer();
  const auto refused = [&](const Error& error) {
    out.said.push_back(error.message);
    if (!error.hint.empty()) out.said.push_back(error.hint);
  };
  if (!writer.has_value()) {
    refused(writer.error());
    return out;
  }
  Statements statements;
  const ApplyOptions options{
      .on_conflict = OnConflict::skip, .dry_run = true, .patch = &statements};
  RevertRequest request;
  request.tx = tx;
  const auto outcome = revert((*writer)->db(), request, options);
  if (!outcome.has_value()) {
    refused(call.explained(outcome.error()));
    return out;
  }
  out.sql = list_json(statements.all);
  out.more = statements.more;
  out.conflicts = outcome->conflicts.size();
  for (const Conflict& one : outcome->conflicts)
    out.said.push_back(fmt::format("{} {}: {}", one.table, key_text(one.key), one.what));
  for (const std::string& note : outcome->notes) out.said.push_back(note);
  if (out.said.size() > kMostRows) out.said.resize(kMostRows);
  return out;
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
  std::string rows;
  std::size_t shown = 0;
  for (const Touched& row : touched.rows()) {
    if (row.came && row.gone) continue;
    if (++shown > kMostRows) break;
    auto table = tables.find(row.table);
    if (table == tables.end())
      table = tables.emplace(row.table, TRY(tracked_table(db, row.table))).first;
    const auto live = TRY(live_row(db, table->second, row.name));
    rows += (rows.empty() ? "" : ",") + preview_json(row, live);
  }
  const Trial trial = trial_of(*call, tx);
  const bool truncated = changes > kMostChanges || shown > kMostRows || trial.more;
  return json_answer(fmt::format(
      R"({{"rows":[{}],"conflicts":{},"truncated":{},"command":"vestige revert --tx {}","sql":{},"said":{}}})",
      rows, trial.conflicts, truncated, tx, trial.sql, list_json(trial.said)));
}

}  // namespace vestige::server
