// The catalog: which tables are tracked, how, and what the slots of their changes mean.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/policy.h"

namespace vestige {

/// A recorded column. `id` is its identity within the table: it stays through renames.
struct Column {
  std::int64_t id = 0;
  std::string name;
  int key = 0;                // 1, 2, …: its place in the key; 0: not in the key
  bool old_left_out = false;  // of a change of this shape the old value is not recorded: too large
  bool new_left_out = false;
  bool redacted = false;  // that it changed is recorded, its value never
  std::string encrypted =
      {};  // its values are tokens that a key of this class opens; empty: they are not
  bool subject = false;  // it says whose what is encrypted in a row is
};

/// A version of a table's recorded columns, key columns first and in key order.
struct Shape {
  std::int64_t id = 0;
  std::int64_t table = 0;
  std::string name;  // the table's name at that time
  std::vector<Column> columns;
  bool full = false;       // policy capture = "full"
  bool row_ids = false;    // changes carry SQLite's rowid
  std::int64_t at = 0;     // microseconds
  std::int64_t since = 0;  // changes with id > since may have this shape
  std::string note;        // why it was made, when something was out of order

  std::vector<Column> key() const;
};

struct Tracked {
  std::int64_t id = 0;
  std::string name;
  Policy policy;
  Shape shape;  // the current one
  std::int64_t tracked_at = 0;
  std::optional<std::int64_t> untracked_at;  // set: history only
};

/// Every table that is or was tracked, by name; those still tracked before those that are not.
Result<std::vector<Tracked>> tracked_tables(Database& db);

/// The table that a person means, under the name that the trail shows; nothing where there is no such table, and
/// none that has a history. As the database itself reads names, quoted or not, in any case, with the schema or
/// without; or letter by letter.
Result<std::optional<std::string>> meant_table(Database& db, const std::string& typed);

/// The tracked table that a person means (see meant_table); history-only tables too.
///
/// faults   missing: not tracked, with the nearest name in the hint where no table has that name
Result<Tracked> tracked_table(Database& db, const std::string& typed);

/// What is known to be missing of a table's changes after one of them, a sentence for each (PostgreSQL: vestige.gap).
Result<std::vector<std::string>> gaps(Database& db, std::int64_t table, std::int64_t upto);

/// Every shape a table has had, oldest first.
Result<std::vector<Shape>> shapes(Database& db, std::int64_t table);

/// The names under which the columns of `shape` are shown, given the table's current shape.
std::vector<std::string> shown_names(const Shape& shape, const Shape& current);

/// Refuses a column that no table, or not that one, ever had in the trail.
///
/// faults   missing
Result<void> require_column(Database& db, const std::string& column,
                            const std::optional<Tracked>& only);

}  // namespace vestige
