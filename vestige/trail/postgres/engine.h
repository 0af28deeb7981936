// Which engine records the tables of a PostgreSQL trail: PL/pgSQL, or the module of docs/native.md. The contract stands in
// vestige/trail/install.h; test/postgres_native_indexes_test.cc covers it.
#pragma once

#include <cstdint>
#include <string_view>

#include "vestige/db/database.h"

namespace vestige::postgres {

Result<void> require_engine(Database& db, std::string_view engine);
Result<void> renew_engine(Database& db);
Result<std::int64_t> use_engine(Database& db, std::string_view engine);

}  // namespace vestige::postgres
