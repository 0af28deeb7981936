#include "vestige/audit/status.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <random>

#include "vestige/audit/postgres_status.h"
#include "vestige/audit/standing.h"
#include "vestige/db/sql.h"
#include "vestige/trail/install.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

constexpr std::size_t kSample = 1000;  // changes of a table that are measured

// The changes of one table, as far as one look at each tells.
struct Counted {
  std::int64_t changes = 0;
  std::int64_t first = 0;  // ids
  std::int64_t last = 0;
  std::vector<std::int64_t> sample = {};  // ids; every change is in it with the same likelihood
};

// Reads the id and the table of every change, in order, and nothing else of it.
Result<std::map<std::int64_t, Counted>> count_by_table(Database& db) {
  std::map<std::int64_t, Counted> counted;
  std::mt19937_64 dice(1);  // the same trail, the same answer
  auto rows = TRY(db.query("select id, tbl from vestige_change order by id"));
  while (TRY(rows->next()) == Step::row) {
    const std::int64_t id = rows->integer(0);
    Counted& table = counted[rows->integer(1)];
    if (table.changes++ == 0) table.first = id;
    table.last = id;
    if (table.sample.size() < kSample) {
      table.sample.push_back(id);
    } else {
      const auto place = dice() % static_cast<std::uint64_t>(table.changes);
      if (place < kSample) table.sample[place] = id;
    }
  }
  return counted;
}

Result<std::int64_t> measure(Database& db, const Counted& table) {
  const std::string ids = fmt::format("[{}]", fmt::join(table.sample, ","));
  const std::int64_t bytes = TRY(scalar_integer(db, sql::sample, {Text{ids}}));
  const auto sampled = static_cast<std::int64_t>(table.sample.size());
  if (sampled == table.changes) return bytes;
  return static_cast<std::int64_t>(static_cast<double>(bytes) / static_cast<double>(sampled) *
                                   static_cast<double>(table.changes));
}

Result<std::int64_t> time_of(Database& db, std::int64_t change) {
  return TRY(scalar_integer(db, "select at from vestige_change where id = ?1", {change})) * 1000;
}

}  // namespace

Result<Status> status(Database& db) {
  TRY(require_trail(db));
  if (db.engine() == Engine::postgres) return status_on_postgres(db);
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
      table.bytes = TRY(measure(db, found->second));
      status.changes += table.changes;
    }
    table.table = std::move(tracked);
    status.tables.push_back(std::move(table));
  }
  status.untracked = std::move(free);
  return status;
}

}  // namespace vestige
