// The loadable extension: the trail from any language, on the caller's own connection and in its transaction. Docs:
// docs/sqlite-extension.md. Test: clients/sqlite/test.py.
#include "clients/sqlite/functions.h"
#include "clients/sqlite/tables.h"

SQLITE_EXTENSION_INIT1

// SQLite finds it by its name: vestige0.so, sqlite3_vestige_init.
extern "C" __attribute__((visibility("default"))) int sqlite3_vestige_init(
    sqlite3* db, char** error, const sqlite3_api_routines* api) {
  SQLITE_EXTENSION_INIT2(api);
  constexpr int kOldest = 3'038'000;  // as the library needs it
  if (sqlite3_libversion_number() < kOldest) {
    *error = sqlite3_mprintf("vestige: SQLite %s is too old, 3.38 or newer is needed",
                             sqlite3_libversion());
    return SQLITE_ERROR;
  }
  const int code = vestige::extension::add_functions(db);
  return code == SQLITE_OK ? vestige::extension::add_tables(db) : code;
}
