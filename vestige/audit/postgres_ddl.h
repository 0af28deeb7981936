// ddl on PostgreSQL: capture follows DDL by itself, so a migration is one transaction, at the end of which
// the trail catches up. Test: postgres_ddl_test.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/change.h"

namespace vestige {

/// ddl() of a database that has a trail.
Result<std::vector<std::string>> ddl_on_postgres(Database& db, std::string_view sql,
                                                 const Context& context);

}  // namespace vestige
