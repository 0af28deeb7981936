#include "vestige/audit/status.h"

#include <algorithm>

#include "vestige/base/json.h"
#include "vestige/base/time.h"
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

namespace {

std::string when_json(const std::optional<std::int64_t>& micros) {
  return micros.has_value() ? json::quote(format_time(*micros)) : "null";
}

}  // namespace

std::string to_json(const TableStatus& one) {
  std::string key;
  for (const Column& column : one.table.shape.key())
    key += (key.empty() ? "" : ",") + text_json(column.name);
  std::string columns;
  for (const Column& column : one.table.shape.columns)
    columns += (columns.empty() ? "" : ",") + text_json(column.name);
  return fmt::format(
      R"({{"table":{},"tracked":{},"key":[{}],"columns":[{}],"policy":{},"changes":{},"bytes":{},)"
      R"("first_change":{},"last_change":{},"intact":{},"trouble":{},"waiting":{}}})",
      text_json(one.table.name), !one.table.untracked_at.has_value(), key, columns,
      to_json(one.table.policy), one.changes, one.bytes, when_json(one.first_change),
      when_json(one.last_change), one.intact, one.trouble.empty() ? "null" : text_json(one.trouble),
      one.waiting);
}

std::string to_json(const Status& status, const std::vector<CursorStanding>& cursors) {
  std::string tables;
  for (const TableStatus& one : status.tables) tables += (tables.empty() ? "" : ",") + to_json(one);
  std::string consumers;
  for (const CursorStanding& one : cursors)
    consumers +=
        fmt::format(R"({}{{"consumer":{},"upto":{},"behind":{}}})", consumers.empty() ? "" : ",",
                    text_json(one.consumer), one.upto, one.behind);
  return fmt::format(
      R"({{"database":{},"schema_version":{},"changes":{},"tables":[{}],"untracked":{},)"
      R"("consumers":[{}]}})",
      text_json(status.where), status.schema_version, status.changes, tables,
      list_json(status.untracked), consumers);
}

}  // namespace vestige
