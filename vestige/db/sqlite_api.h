// SQLite's C interface: as a library, or, inside the loadable extension, that of whoever loaded it. For vestige/db and
// clients/sqlite only.
#pragma once

#ifdef VESTIGE_SQLITE_EXTENSION
#include <sqlite3ext.h>  // IWYU pragma: export
extern const sqlite3_api_routines* sqlite3_api;
#else
#include <sqlite3.h>  // IWYU pragma: export
#endif

#include <memory>

namespace vestige {

struct FinalizeSqlite {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using SqliteStatement = std::unique_ptr<sqlite3_stmt, FinalizeSqlite>;

struct CloseSqlite {
  void operator()(sqlite3* handle) const noexcept { sqlite3_close(handle); }
};
using SqliteHandle = std::unique_ptr<sqlite3, CloseSqlite>;

}  // namespace vestige
