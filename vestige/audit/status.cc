#include "vestige/audit/status.h"

#include <algorithm>

#include "vestige/trail/install.h"
#include "vestige/trail/track.h"
#include "vestige/trail/upkeep.h"

namespace vestige {

Result<Status> status(Database& db) {
  TRY(require_trail(db));
  const auto upkeep = upkeep_of(db);
  Status status;
  status.where = db.where();
  status.schema_version = TRY(installed_version(db));
  status.untracked = TRY(trackable_tables(db));
  const auto volumes = TRY(upkeep->volumes());
  const auto captures = TRY(upkeep->captures());
  for (Tracked& tracked : TRY(tracked_tables(db))) {
    TableStatus table;
    if (const auto one = captures.find(tracked.id); one != captures.end()) {
      table.trouble = one->second.trouble;
      table.intact = table.trouble.empty();
      std::erase(status.untracked, one->second.live);
    }
    if (const auto one = volumes.find(tracked.id); one != volumes.end()) {
      const Volume& volume = one->second;
      table.changes = volume.changes;
      table.bytes = volume.bytes;
      table.first_change = volume.first;
      table.last_change = volume.last;
      table.waiting = volume.waiting;
      status.changes += table.changes;
    }
    table.table = std::move(tracked);
    status.tables.push_back(std::move(table));
  }
  return status;
}

}  // namespace vestige
