#include "vestige/audit/blame.h"

#include <algorithm>
#include <utility>

#include "vestige/audit/at.h"
#include "vestige/audit/log.h"
#include "vestige/base/time.h"
#include "vestige/trail/expiry.h"
#include "vestige/trail/install.h"
#include "vestige/trail/row_history.h"

namespace vestige {
namespace {

Result<std::optional<Change>> change_of(Database& db, std::int64_t id) {
  Selection selection;
  selection.ids = {id};
  return TRY(read_changes(db, selection))->next();
}

// The ERASE that took the values of a change; the change itself, where none is recorded.
Result<std::optional<Change>> eraser(Database& db, const Change& change) {
  return change_of(db, change.erased_by("values").value_or(change.id));
}

// What has expired of a table: its EXPIRE stands for changes that are not known any more.
struct Expired {
  std::int64_t last = 0;
  std::optional<Change> by;

  // After a change that stayed, others may have gone: it gave a column its value only if that is what it gave it.
  bool hides(const Change& change, const Blamed& column) const {
    if (change.id >= last || !change.new_values.has_value()) return false;
    const Value* given = find(*change.new_values, column.column);
    return given == nullptr || !identical(*given, column.value);
  }
};

Result<Expired> expired_of(Database& db, const Tracked& table) {
  const auto furthest = TRY(horizon_of(db, table.id));
  if (!furthest.has_value()) return Expired();
  const auto last = TRY(last_expired(db, table.id));
  auto by = TRY(change_of(db, furthest->change));
  return Expired{last.value_or(furthest->last), std::move(by)};
}

}  // namespace

Result<Blame> blame(Database& db, const std::string& table_name,
                    const std::vector<std::string>& words, const std::vector<std::string>& only) {
  TRY(require_trail(db));
  const Tracked table = TRY(tracked_table(db, table_name));
  for (const std::string& column : only) TRY(require_column(db, column, table));
  Blame out;
  out.table = table.name;
  const auto [name, row] = TRY(named_or_moved(db, table, words));
  out.key = name.key;
  std::size_t open = 0;
  const auto columns = [&](const Row& values) {
    for (const Field& field : values)
      if (only.empty() || std::find(only.begin(), only.end(), field.name) != only.end())
        out.columns.push_back({field.name, field.value, std::nullopt});
    open = out.columns.size();
  };
  if (row.has_value()) columns(*row);

  const Expired expired = TRY(expired_of(db, table));
  auto history = TRY(row_history(db, table, name, kNow));
  bool ended = true;  // where the trail does, and not where the row began
  bool first = true;
  bool found = row.has_value();
  while (auto change = TRY(history->next())) {
    if (std::exchange(first, false) && !row.has_value()) {
      if (change->op != Op::remove) break;
      if (change->lost_values())
        return not_known(fmt::format("blame {} {}", table.name, key_text(name)), *change);
      out.exists = false;
      found = true;
      columns(*change->old_values);
      continue;
    }
    // Before a DELETE it was another row; this one came back where nothing was recorded.
    ended = change->op == Op::update;
    if (change->op == Op::baseline || change->op == Op::remove) break;
    if (change->lost_values()) {
      // An INSERT gave every column its value; which ones an UPDATE changed is not known any more.
      const auto by = change->op == Op::insert ? change : TRY(eraser(db, *change));
      for (Blamed& column : out.columns)
        if (!column.change.has_value()) column.change = by;
      break;
    }
    const Row& values = change->op == Op::update ? *change->old_values : *change->new_values;
    for (Blamed& column : out.columns)
      if (!column.change.has_value() && find(values, column.column) != nullptr) {
        column.change = expired.hides(*change, column) ? expired.by : change;
        --open;
      }
    if (open == 0) break;
  }
  if (ended)
    for (Blamed& column : out.columns)
      if (!column.change.has_value()) column.change = expired.by;
  if (!found && expired.by.has_value())
    return hinted(
        fail(Fault::missing,
             "blame {} {}: there is no such row now, and its last change may have expired",
             table.name, key_text(name)),
        fmt::format("change {} (EXPIRE) took it; vestige log shows what is left", expired.by->id));
  if (!found)
    return fail(Fault::missing, "blame {} {}: no such row, now or in the trail", table.name,
                key_text(name));
  for (const std::string& column : only)
    if (std::none_of(out.columns.begin(), out.columns.end(),
                     [&](const Blamed& one) { return one.column == column; }))
      return fail(Fault::missing, "blame {} {}: it has no column {} any more", table.name,
                  key_text(name), column);
  return out;
}

namespace {

std::string said_or_null(const std::string* text) {
  return text == nullptr ? "null" : text_json(*text);
}

}  // namespace

std::string to_json(const Blame& blame, const Blamed& one) {
  std::string change = R"("change":null)";
  if (one.change.has_value())
    change = fmt::format(
        R"("change":{},"at":"{}","op":"{}","tx":{},"actor":{},"reason":{},"who":{})",
        one.change->id, format_time(one.change->at), name(one.change->op), one.change->tx,
        said_or_null(one.change->context.get("actor")),
        said_or_null(one.change->context.get("reason")), said_or_null(one.change->who()));
  return fmt::format(R"({{"table":{},"key":{},"exists":{},"column":{},"value":{},{}}})",
                     text_json(blame.table), to_json(blame.key), blame.exists,
                     text_json(one.column), to_json(one.value), change);
}

}  // namespace vestige
