// Finding the changes of one row: sorted runs of 16,384 changes in vestige_key, which grow by batches of
// 512, and a look at the changes since the last batch. Why no ordinary index:
// docs/decisions/0002-sorted-runs.md.
#pragma once

#include <cstdint>
#include <string>

#include "vestige/db/database.h"

namespace vestige {

/// A SELECT of the ids of the changes of one row, under the key it had before or after, in no order. It
/// ends in a WHERE clause, so that " and id > …" can follow.
///
/// table    SQL (a parameter) of vestige_table.id
/// key      SQL (a parameter) of the stored key (see stored_key)
/// cost     one search for each run that is not merged, and a scan of up to 511 changes
std::string row_changes(const std::string& table, const std::string& key);

/// Complete runs that are not merged.
Result<std::int64_t> loose_runs(Database& db);

/// Merges them into run 0, so that finding a row is one search. Runs in the caller's transaction.
Result<void> merge_runs(Database& db);

/// Makes the runs anew from the changes: for when the trigger that writes them was missing for a while, so
/// that changes may be in no run. Runs in the caller's transaction.
Result<void> rebuild_runs(Database& db);

}  // namespace vestige
