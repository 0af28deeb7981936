#include "vestige/audit/status.h"

#include <algorithm>
#include <map>

#include "vestige/audit/standing.h"
#include "vestige/db/sql.h"
#include "vestige/trail/install.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

constexpr std::int64_t kSample = 1000;  // changes of a table that are measured

struct Counted {
  std::int64_t changes = 0;
  std::int64_t first = 0;  // ids
  std::int64_t last = 0;
};

// One pass over the index on (tbl, key): it has the ids, so that no change itself is read.
Result<std::map<std::int64_t, Counted>> count_by_table(Database& db) {
  std::map<std::int64_t, Counted> counted;
  auto rows = TRY(db.query(
      "select tbl, count(*), min(id), max(id) from vestige_change indexed by vestige_change_key"
      " group by tbl"));
  while (TRY(rows->next()) == Step::row)
    counted[rows->integer(0)] = {rows->integer(1), rows->integer(2), rows->integer(3)};
  return counted;
}

Result<std::int64_t> measure(Database& db, std::int64_t table, std::int64_t changes) {
  const std::int64_t stride = changes <= kSample ? 1 : changes / kSample;
  auto rows = TRY(db.query(sql::sample, {table, stride}));
  TRY(rows->next());
  const std::int64_t sampled = rows->integer(0);
  const std::int64_t bytes = rows->integer(1);
  if (sampled == changes) return bytes;
  if (sampled == 0) return 0;
  return static_cast<std::int64_t>(static_cast<double>(bytes) / static_cast<double>(sampled) *
                                   static_cast<double>(changes));
}

Result<std::int64_t> time_of(Database& db, std::int64_t change) {
  return TRY(scalar_integer(db, "select at from vestige_change where id = ?1", {change})) * 1000;
}

}  // namespace

Result<Status> status(Database& db) {
  TRY(require_trail(db));
  Status status;
  status.where = db.where();
  status.schema_version = TRY(installed_version(db));
  const auto counted = TRY(count_by_table(db));
  std::vector<std::string> free = TRY(trackable_tables(db));
  for (Tracked& tracked : TRY(tracked_tables(db))) {
    TableStatus table;
    if (!tracked.untracked_at.has_value()) {
      const Standing stands = TRY(standing(db, tracked));
      table.trouble = stands.trouble();
      table.intact = table.trouble.empty();
      std::erase(free, stands.live);
    }
    if (const auto found = counted.find(tracked.id); found != counted.end()) {
      table.changes = found->second.changes;
      table.first_change = TRY(time_of(db, found->second.first));
      table.last_change = TRY(time_of(db, found->second.last));
      table.bytes = TRY(measure(db, tracked.id, table.changes));
      status.changes += table.changes;
    }
    table.table = std::move(tracked);
    status.tables.push_back(std::move(table));
  }
  status.untracked = std::move(free);
  return status;
}

}  // namespace vestige
