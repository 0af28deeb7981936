// status: what is tracked and how it stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vestige/feed/cursor.h"
#include "vestige/trail/catalog.h"

namespace vestige {

struct TableStatus {
  Tracked table;
  std::int64_t changes = 0;
  // Of the recorded values, numbers as text, without indexes and page overhead. Measured for up to
  // 1000 changes; beyond that an estimate from a sample of about 1000.
  std::int64_t bytes = 0;
  std::optional<std::int64_t> first_change;  // microseconds
  std::optional<std::int64_t> last_change;
  std::int64_t waiting = 0;  // changes with values that have yet to be encrypted
  bool intact = true;        // the triggers stand as they should
  std::string trouble;       // when not: what is wrong, "triggers missing"
};

struct Status {
  std::string where;
  std::int64_t schema_version = 0;
  std::int64_t changes = 0;
  std::vector<TableStatus> tables;
  std::vector<std::string> untracked;  // trackable tables that are not tracked
};

/// What is tracked, how much of it the trail holds, and whether capture stands.
///
/// cost     one pass over the ids of the changes; memory for the tables
/// faults   missing: no trail here
/// source   sql/sqlite/sample.sql
Result<Status> status(Database& db);

/// One object, without newline (docs/json.md).
std::string to_json(const TableStatus& one);
std::string to_json(const Status& status, const std::vector<CursorStanding>& cursors);

}  // namespace vestige
