// restore and revert: putting rows back, by changes that are recorded themselves.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vestige/audit/at.h"
#include "vestige/trail/undoing.h"

namespace vestige {

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
