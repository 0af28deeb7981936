// at, for a whole table on PostgreSQL: one query, which the trail writes (sql/postgres/install/past.sql).
#pragma once

#include <memory>

#include "vestige/audit/at.h"
#include "vestige/trail/catalog.h"

namespace vestige {

/// Every row of a table just after change `upto`, in key order.
///
/// cost     one scan of the table and of the changes after `upto`, sorted by the server
/// faults   invalid: a table without a key, or whose key had other columns since
Result<std::unique_ptr<States>> at_on_postgres(Database& db, const Tracked& table,
                                               const Moment& moment, std::int64_t upto);

}  // namespace vestige
