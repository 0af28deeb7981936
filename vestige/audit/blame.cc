#include "vestige/audit/blame.h"

#include <utility>

#include "vestige/audit/row_history.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

// The key that the row has now: the last change under the typed key may have moved it on.
Result<Row> last_key(Database& db, const Tracked& table, const Row& key) {
  Selection selection;
  selection.table = table.id;
  selection.key = key;
  auto changes = TRY(read_changes(db, selection));
  const auto last = TRY(changes->next());
  if (!last.has_value()) return key;
  return last->new_key.has_value() ? *last->new_key : last->key;
}

}  // namespace

Result<Blame> blame(Database& db, const std::string& name, const std::vector<std::string>& words) {
  TRY(require_trail(db));
  const Tracked table = TRY(tracked_table(db, name));
  Blame out;
  out.table = table.name;
  out.key = TRY(parse_key(db, table, words));
  TRY(names_a_row(table, out.key));
  auto row = TRY(live_row(db, table, out.key));
  if (!row.has_value()) {
    const Row moved = TRY(last_key(db, table, out.key));
    row = TRY(live_row(db, table, moved));
    if (row.has_value()) out.key = moved;
  }
  std::size_t open = 0;
  const auto columns = [&](const Row& values) {
    for (const Field& field : values)
      out.columns.push_back({field.name, field.value, std::nullopt});
    open = values.size();
  };
  if (row.has_value()) columns(*row);

  auto history = TRY(row_history(db, table, out.key, kNow));
  bool first = true;
  while (auto change = TRY(history->next())) {
    if (std::exchange(first, false) && !row.has_value()) {
      if (change->op != Op::remove) break;
      out.exists = false;
      columns(*change->old_values);
      continue;
    }
    if (change->op == Op::baseline) break;
    const Row& values = change->op == Op::update ? *change->old_values : *change->new_values;
    for (Blamed& column : out.columns)
      if (!column.change.has_value() && find(values, column.column) != nullptr) {
        column.change = *change;
        --open;
      }
    if (open == 0) break;
  }
  if (out.columns.empty())
    return fail(Fault::missing, "blame {} {}: no such row, now or in the trail", table.name,
                key_text(out.key));
  return out;
}

}  // namespace vestige
