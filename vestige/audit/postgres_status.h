// status on PostgreSQL: vestige.troubles (sql/postgres/install/standing.sql) tells what does not stand.
#pragma once

#include <map>
#include <string>

#include "vestige/audit/status.h"

namespace vestige {

Result<Status> status_on_postgres(Database& db);

/// What is wrong with the capture of tracked tables, in a few words, by the table's id.
Result<std::map<std::int64_t, std::string>> troubles(Database& db);

}  // namespace vestige
