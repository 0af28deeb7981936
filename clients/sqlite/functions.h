// Functions that change something, each in the transaction of the statement that calls it:
//
//   select vestige_init();
//   select vestige_track('products', '{"exclude":["updated_at"],"require":["actor"]}');
//   select vestige_context('{"actor":"ann","reason":"recount"}');      and vestige_context(null)
//   select vestige_revert(12, '{"actor":"ann"}');                      and vestige_undo(change, …)
//   select vestige_erase('customers', 17, '{"reason":"GDPR 4711"}');
//   select vestige_doctor();
#pragma once

#include "vestige/db/sqlite_api.h"

namespace vestige::extension {

/// Registers them with a connection; SQLite's code.
int add_functions(sqlite3* db);

}  // namespace vestige::extension
