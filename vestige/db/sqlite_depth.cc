#include "vestige/db/sqlite_depth.h"

#include <string_view>

#include "vestige/db/sqlite_api.h"

namespace vestige {

// SQLite looks at the depth while it parses, before it looks for what is named.
Result<bool> deeper_than(const std::string& expression, int depth) {
  sqlite3* opened = nullptr;
  const int opening = sqlite3_open(":memory:", &opened);
  const SqliteHandle db(opened);
  if (opening != SQLITE_OK) return fail(Fault::internal, "read an expression: out of memory");
  sqlite3_limit(db.get(), SQLITE_LIMIT_EXPR_DEPTH, depth);
  sqlite3_stmt* compiled = nullptr;
  const int said =
      sqlite3_prepare_v2(db.get(), ("select " + expression).c_str(), -1, &compiled, nullptr);
  const SqliteStatement statement(compiled);
  return said != SQLITE_OK &&
         std::string_view(sqlite3_errmsg(db.get())).starts_with("Expression tree is too large");
}

}  // namespace vestige
