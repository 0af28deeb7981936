// What is out of order with capture on PostgreSQL, for this wing (sql/postgres/install/standing.sql).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "vestige/db/database.h"

namespace vestige::postgres {

/// What is wrong with the capture of tracked tables, in a few words, by the table's id.
Result<std::map<std::int64_t, std::string>> troubles(Database& db);

}  // namespace vestige::postgres
