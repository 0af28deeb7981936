// A whole table as it was on PostgreSQL: one query, which the trail writes (sql/postgres/install/past.sql).
#pragma once

#include <memory>

#include "vestige/audit/past.h"

namespace vestige {

/// cost     one scan of the table and of the changes after the moment, sorted by the server
/// faults   invalid: a table without a key, or whose key had other columns since
std::unique_ptr<Past> postgres_past(Database& db);

}  // namespace vestige
