#include "vestige/audit/postgres_status.h"

#include <algorithm>
#include <map>

#include "vestige/trail/install.h"
#include "vestige/trail/track.h"

namespace vestige {

Result<std::map<std::int64_t, std::string>> troubles(Database& db) {
  std::map<std::int64_t, std::string> found;
  auto rows = TRY(db.query("select tracked, trouble from vestige.troubles()"));
  while (TRY(rows->next()) == Step::row) found[rows->integer(0)] = rows->text(1);
  return found;
}

Result<Status> status_on_postgres(Database& db) {
  Status status;
  status.where = db.where();
  status.schema_version = TRY(installed_version(db));
  std::vector<std::string> free = TRY(trackable_tables(db));
  std::map<std::int64_t, TableStatus> counted;
  auto rows =
      TRY(db.query("select c.tracked, count(*), (extract(epoch from min(c.at)) * 1000000)::int8,"
                   " (extract(epoch from max(c.at)) * 1000000)::int8,"
                   " sum(pg_catalog.octet_length(coalesce(c.old_row, '')) +"
                   " pg_catalog.octet_length(coalesce(c.new_row, '')))::int8 from vestige.change c"
                   " group by c.tracked"));
  while (TRY(rows->next()) == Step::row) {
    TableStatus& table = counted[rows->integer(0)];
    table.changes = rows->integer(1);
    table.first_change = rows->integer(2);
    table.last_change = rows->integer(3);
    table.bytes = rows->integer(4);
    status.changes += table.changes;
  }
  auto wrong = TRY(troubles(db));
  for (Tracked& tracked : TRY(tracked_tables(db))) {
    TableStatus table = counted[tracked.id];
    if (!tracked.untracked_at.has_value()) {
      table.trouble = wrong[tracked.id];
      table.intact = table.trouble.empty();
    }
    std::erase(free, tracked.name);
    table.table = std::move(tracked);
    status.tables.push_back(std::move(table));
  }
  status.untracked = std::move(free);
  return status;
}

}  // namespace vestige
