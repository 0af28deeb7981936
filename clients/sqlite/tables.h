// Tables that the extension answers from the trail, with arguments as functions have them:
//
//   select * from vestige_history('products', 1);          one row's changes, newest first
//   select * from vestige_changes('who:ann since:7d');     by a filter (docs/filter.md)
//   select * from vestige_blame('products', 1);            who last touched each column
//   select * from vestige_at('products', '2026-01-01');    the table as it was
//   select * from vestige_feed(1206);                      what has its place behind that one
#pragma once

#include "vestige/db/sqlite_api.h"

namespace vestige::extension {

/// Registers them with a connection; SQLite's code.
int add_tables(sqlite3* db);

}  // namespace vestige::extension
