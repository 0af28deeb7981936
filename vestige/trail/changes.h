// Reading the trail: a stream of Change, from the database's tables.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/record/change.h"
#include "vestige/record/filter.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/judge.h"

namespace vestige {

/// A stream of changes, pulled one at a time; memory for one change.
class Changes {
 public:
  Changes() = default;
  Changes(const Changes&) = delete;
  Changes& operator=(const Changes&) = delete;
  virtual ~Changes() = default;

  /// The next change, or nothing at the end.
  ///
  /// faults   corrupt (a row that does not decode, unless the selection is forgiving), offline
  virtual Result<std::optional<Change>> next() = 0;
};

/// A row as people and changes name it.
struct RowName {
  Row key;
  std::optional<std::int64_t>
      row_id;  // SQLite: which of the rows that their key does not tell apart
};

/// True when a key names one row: NULL tells nobody apart, and neither does a table without a key.
bool tells_apart(const Row& key);

/// Which changes to read; everything that is set must hold.
struct Selection {
  std::optional<std::int64_t> table;   // vestige_table.id
  Row key;                             // with table: this row, under every key it had
  std::optional<std::int64_t> row_id;  // with table: only changes of this rowid
  std::optional<std::int64_t> since;   // at >= since, microseconds
  std::optional<std::int64_t> until;   // at < until
  std::optional<std::int64_t> after;   // id > after
  std::optional<std::int64_t> upto;    // id <= upto
  std::vector<std::string> who;       // any of these: the actor, or where none was said the db user
  std::vector<std::string> db_users;  // any of these, whoever the actor is
  std::vector<Op> ops;                // any of these
  std::vector<std::string> columns;   // changes whose old_values or new_values have one of them
  std::optional<std::int64_t> tx;
  std::vector<std::int64_t> ids;  // just these
  Filter filter;                  // and what it says; tables under the names that the trail shows
  std::shared_ptr<SignatureJudge>
      judge;  // says what the signatures of contexts are worth; nullptr: nobody asks
  bool oldest_first = false;
  std::int64_t limit = 0;  // 0: all
  // A change that cannot be read ends nothing: it is given as it is stored, and says why (Change::unreadable). For those who show
  // changes, and do nothing by them.
  bool forgiving = false;
};

/// Streams the selected changes, newest first unless asked otherwise.
///
/// order    by id
/// cost     a row: one index range; time and id limits: a search; memory for one change
/// faults   missing, corrupt, offline
/// source   sql/sqlite/changes.sql
Result<std::unique_ptr<Changes>> read_changes(Database& db, const Selection& selection);

/// Reads changes again and again: what their tables and shapes look like is kept at hand.
class ChangeReader {
 public:
  ChangeReader() = default;
  ChangeReader(const ChangeReader&) = delete;
  ChangeReader& operator=(const ChangeReader&) = delete;
  virtual ~ChangeReader() = default;

  /// As read_changes. The stream must not outlive the reader, and one is read at a time.
  virtual Result<std::unique_ptr<Changes>> read(const Selection& selection) = 0;
};

/// table    whose changes will be read; nothing: any
/// every    also what read_changes passes over: UPDATEs in which no bit differs
/// faults   offline, corrupt
Result<std::unique_ptr<ChangeReader>> change_reader(Database& db, std::optional<std::int64_t> table,
                                                    bool every);

/// The ids of the selected changes, oldest first; without a filter also of those that read_changes passes over: UPDATEs in
/// which no bit differs.
///
/// selection  without a column, an order and a limit
Result<std::vector<std::int64_t>> change_ids(Database& db, const Selection& selection);

/// How many they are; counted in the database.
///
/// selection  as of change_ids, and without a filter
Result<std::int64_t> change_count(Database& db, const Selection& selection);

/// The changes under one key, before or after, whichever row had it: after < id <= upto. Where the key does
/// not tell rows apart, those of the named rowid, if one is named.
///
/// order    by id
/// cost     as read_changes; a scan of the trail for rows whose key of one column is null, or without a key
/// faults   corrupt, offline
Result<std::unique_ptr<Changes>> key_changes(Database& db, const Tracked& table,
                                             const RowName& name, std::int64_t after,
                                             std::int64_t upto, bool oldest_first);

/// Transactions that the trail may have told apart from this one, or from which it may have told this one apart, without
/// being sure: SQLite tells its triggers nothing of BEGIN and COMMIT, so without a context each statement is one, and
/// what two connections write in a millisecond can look like one. Those of the same milliseconds, without a context
/// too, oldest first, at most 40. None on PostgreSQL, which says which transaction it is.
///
/// cost     some 100 changes before and after
Result<std::vector<std::int64_t>> doubtful_neighbours(Database& db, std::int64_t tx);

/// The id of the last change that the clock placed at or before a moment (0: none). A search, not a scan.
Result<std::int64_t> last_change_at(Database& db, std::int64_t micros);

/// Reads key values as people type them ("1", "x'00ff'", "null", "'text'", or "col=value" for each key
/// column) and gives them the storage classes that the table's rows have. "rowid=7" says which of the rows
/// that the key does not tell apart.
///
/// faults   invalid: wrong number of values, an unknown column, or a table without a key
Result<RowName> parse_key(Database& db, const Tracked& table,
                          const std::vector<std::string>& words);

/// A key for messages: "id=1", "order_id=1, line=2" or "code=null, rowid=7".
std::string key_text(const Row& key);
std::string key_text(const RowName& name);

}  // namespace vestige
