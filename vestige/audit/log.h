// log and show: what happened.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/trail/changes.h"

namespace vestige {

struct LogRequest {
  std::string table;             // empty: every table
  std::vector<std::string> key;  // as typed; empty: every row
  Selection filter;              // its table, key and ids are set by log()
};

/// Changes, newest first; of one row when a key is given, followed through changed keys both ways.
///
/// faults   missing, invalid
Result<std::unique_ptr<Changes>> log(Database& db, const LogRequest& request);

/// What a request selects, with the names that it uses looked up.
///
/// faults   missing, invalid
Result<Selection> select(Database& db, const LogRequest& request);

/// Puts the names that the trail shows in place of those that were typed for tables.
///
/// faults   missing: a table that is not tracked, a column that no table ever had
Result<void> resolve_names(Database& db, const std::optional<Tracked>& only, Filter& filter);

/// Chooses the changes of a table, and of one row of it when key values are given (see parse_key); the table. Without a
/// name nothing is chosen.
///
/// faults   missing: not tracked, now or ever; as parse_key
Result<std::optional<Tracked>> select_table(Database& db, const std::string& name,
                                            const std::vector<std::string>& key,
                                            Selection& selection);

/// One change.
///
/// judge    says what the signature of its context is worth; nullptr: nobody asks
/// faults   missing: no such change
Result<Change> show(Database& db, std::int64_t id, std::shared_ptr<SignatureJudge> judge = nullptr);

}  // namespace vestige
