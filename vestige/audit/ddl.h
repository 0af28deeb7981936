// ddl: schema changes that keep the record whole.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/change.h"

namespace vestige {

/// Runs a migration in one transaction: capture of DML goes on, triggers step aside for DDL, and are
/// refitted to the tables as they stand at the end. Renamed tables and columns keep their history; a
/// table that was rebuilt (create, copy, drop, rename) goes on as the same tracked table, and rows that
/// the copy altered are recorded.
///
/// returns  one line for each thing that was done
/// faults   invalid, denied, conflict; nothing happens when one statement fails
Result<std::vector<std::string>> ddl(Database& db, std::string_view sql, const Context& context);

}  // namespace vestige
