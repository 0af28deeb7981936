#include "vestige/audit/log.h"

#include "vestige/trail/install.h"

namespace vestige {

Result<std::unique_ptr<Changes>> log(Database& db, const LogRequest& request) {
  TRY(require_trail(db));
  Selection selection = request.filter;
  if (!request.table.empty()) {
    const Tracked table = TRY(tracked_table(db, request.table));
    selection.table = table.id;
    if (!request.key.empty()) {
      RowName row = TRY(parse_key(db, table, request.key));
      selection.key = std::move(row.key);
      selection.row_id = row.row_id;
    }
  }
  return read_changes(db, selection);
}

Result<Change> show(Database& db, std::int64_t id) {
  TRY(require_trail(db));
  Selection selection;
  selection.ids = {id};
  auto changes = TRY(read_changes(db, selection));
  auto change = TRY(changes->next());
  if (!change.has_value())
    return hinted(fail(Fault::missing, "show change {}: no such change", id),
                  "vestige log lists them");
  return *std::move(change);
}

}  // namespace vestige
