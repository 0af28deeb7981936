// restore and revert: putting rows back, by changes that are recorded themselves.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "vestige/audit/at.h"
#include "vestige/trail/context.h"

namespace vestige {

struct Outcome;

/// Where the statements of a patch go, one at a time, and then what came of them.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;
  virtual Result<void> statement(const std::string& sql) = 0;
  /// Nothing was refused, and all is about to be committed; a fault here rolls it back.
  virtual Result<void> outcome(const Outcome&) { return {}; }
  /// There are conflicts, and nothing is done.
  virtual void refused(const Outcome&) {}
};

enum class OnConflict { refuse, skip, force };

struct ApplyOptions {
  Context context;  // reason is filled in when it is empty: "revert of tx 12"
  OnConflict on_conflict = OnConflict::refuse;
  bool dry_run = false;
  Sink* patch = nullptr;  // receives every statement; may be null
};

/// A row that is not as the change left it.
struct Conflict {
  std::int64_t change = 0;  // 0 for restore
  std::string table;
  Row key;
  std::string what;                  // "price has changed since: 94900 expected, 89900 found"
  std::vector<std::string> columns;  // the columns that have changed since
};

struct Outcome {
  std::int64_t applied = 0;         // changes undone, or 1 for a restored row; 0: nothing to do
  std::int64_t skipped = 0;         // conflicts skipped
  std::set<std::string> tables;     // whose rows were written
  std::optional<std::int64_t> tx;   // the transaction that recorded the undoing
  std::vector<Conflict> conflicts;  // skipped or forced; when refused, they are in the Error
  std::vector<std::string> notes;   // columns that could not be restored, and why
};

/// The error of an undoing that was refused for its conflicts; nothing was changed.
tl::unexpected<Error> conflicts_refused(const std::string& what, const Outcome& outcome,
                                        const ApplyOptions& options);

/// Puts one row back to what it was.
///
/// column   only this one; a row that came or went since is left alone
/// faults   missing, invalid, conflict, denied (a constraint)
Result<Outcome> restore(Database& db, const std::string& table, const std::vector<std::string>& key,
                        const Moment& to, const ApplyOptions& options,
                        const std::optional<std::string>& column = std::nullopt);

/// Which rows to put back, and to what.
struct RestoreRequest {
  std::string table;
  Filter filter;  // of their keys, see KeyFilter
  Moment to;
  std::optional<std::string> column;
};

/// Puts every row that a filter chooses back to what it was, in one transaction. A row whose key changed since is followed.
///
/// returns  applied: the rows (SQLite), or their changes that were undone (PostgreSQL)
/// cost     the changes since then; memory for the rows that differ
/// faults   as revert; invalid: a filter that is not of keys
Result<Outcome> restore(Database& db, const RestoreRequest& request, const ApplyOptions& options);

/// Which changes to undo: exactly one of the first three, and what narrows them.
struct RevertRequest {
  std::optional<std::int64_t> tx;
  std::vector<std::int64_t> changes;
  std::vector<std::string> who;       // with since; any of these (see Selection)
  std::vector<std::string> db_users;  // likewise, alone or with who
  std::optional<std::int64_t> since;  // microseconds
  std::optional<std::int64_t> until;
  std::string table;             // empty: every table
  std::vector<std::string> key;  // with table, as typed: this row
  std::vector<Op> ops;
  std::optional<std::string> column;  // of UPDATEs, this column; nothing else
  Filter filter;                      // of these changes, those that it says
};

/// Undoes changes, newest first, in one transaction.
///
/// faults   conflict (a row changed since, unless skipped or forced), missing, denied, invalid
Result<Outcome> revert(Database& db, const RevertRequest& request, const ApplyOptions& options);

}  // namespace vestige
