#include "vestige/audit/blame.h"

#include <algorithm>
#include <utility>

#include "vestige/audit/at.h"
#include "vestige/audit/log.h"
#include "vestige/trail/install.h"
#include "vestige/trail/row_history.h"

namespace vestige {
namespace {

// The ERASE that took the values of a change; the change itself, where none is recorded.
Result<std::optional<Change>> eraser(Database& db, const Change& change) {
  Selection selection;
  selection.ids = {change.erased_by("values").value_or(change.id)};
  return TRY(read_changes(db, selection))->next();
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

  auto history = TRY(row_history(db, table, name, kNow));
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
        column.change = *change;
        --open;
      }
    if (open == 0) break;
  }
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

}  // namespace vestige
