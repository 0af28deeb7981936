// status on PostgreSQL: vestige.standing_of (sql/postgres/install.sql) tells what stands.
#pragma once

#include "vestige/audit/status.h"

namespace vestige {

Result<Status> status_on_postgres(Database& db);

/// For the verbs that PostgreSQL does not have yet.
///
/// faults   invalid: the database is PostgreSQL
Result<void> require_sqlite(Database& db, std::string_view verb);

}  // namespace vestige
