// SQLite's C interface: as a library, or, inside the loadable extension, that of whoever loaded it. For vestige/db and
// clients/sqlite only.
#pragma once

#ifdef VESTIGE_SQLITE_EXTENSION
#include <sqlite3ext.h>  // IWYU pragma: export
extern const sqlite3_api_routines* sqlite3_api;
#else
#include <sqlite3.h>  // IWYU pragma: export
#endif
