// Upkeep: whether a trail and its capture stand as they should, what mends them, and how much the trail holds. What doctor,
// status and verify --live ask.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/db/database.h"

namespace vestige {

enum class Severity { note, warning, error };

struct Finding {
  Severity severity = Severity::warning;
  std::string code;     // stable, for machines: docs/sqlite.md and docs/postgres.md, "doctor"
  std::string table;    // empty when it is about the whole database
  std::string message;  // what is wrong and what it means
  std::string remedy;   // what to do; empty for a note
  bool fixable = false;
  bool fixed = false;
};

/// How capture of a tracked table stands.
struct Capture {
  std::string live;     // the name that the table has now; empty: it is gone
  std::string trouble;  // "triggers missing, columns changed"; empty: it stands as it should
};

/// What the trail holds of a table.
struct Volume {
  std::int64_t changes = 0;
  std::int64_t bytes = 0;             // of the recorded values (see TableStatus)
  std::optional<std::int64_t> first;  // microseconds
  std::optional<std::int64_t> last;
  std::int64_t waiting = 0;  // changes that have yet to be encrypted: SQLite
};

/// How much room the trail has, and has taken.
struct Room {
  std::int64_t bytes = 0;             // with indexes; SQLite: of the whole file
  std::optional<std::int64_t> ahead;  // partitions for changes to come; SQLite has none
};

/// All of it of a trail of the version that this vestige knows.
class Upkeep {
 public:
  Upkeep() = default;
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;
  virtual ~Upkeep() = default;

  /// What is out of order.
  virtual Result<std::vector<Finding>> findings() = 0;

  /// The same, and what is safe to mend has been mended, in one transaction.
  virtual Result<std::vector<Finding>> mended() = 0;

  /// How capture of each table that is tracked (not: was) stands, by its id.
  virtual Result<std::map<std::int64_t, Capture>> captures() = 0;

  /// What the trail holds of each table, by its id; nothing of a table without changes.
  virtual Result<std::map<std::int64_t, Volume>> volumes() = 0;

  /// Changes that do not stand under the key of their row, so that nobody finds them by it.
  virtual Result<std::vector<std::int64_t>> hidden() = 0;

  /// Changes, one of each block, in which somebody's name does not stand in the index of who, so that nobody finds them by it.
  virtual Result<std::vector<std::int64_t>> nameless() = 0;

  virtual Result<Room> room() = 0;

  /// Makes room ahead for changes to come (see vestige::maintain).
  virtual Result<void> maintain() = 0;
};

std::unique_ptr<Upkeep> upkeep_of(Database& db);

}  // namespace vestige
