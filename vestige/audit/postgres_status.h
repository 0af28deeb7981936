// status on PostgreSQL: vestige.standing_of (sql/postgres/install.sql) tells what stands.
#pragma once

#include "vestige/audit/status.h"

namespace vestige {

Result<Status> status_on_postgres(Database& db);

}  // namespace vestige
