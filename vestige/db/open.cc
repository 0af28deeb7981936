// open_database: which back end a URL names.
#include "vestige/db/database.h"
#include "vestige/db/postgres.h"
#include "vestige/db/sqlite.h"

namespace vestige {

Result<std::unique_ptr<Database>> open_database(const std::string& url) {
  if (url.starts_with("postgresql://") || url.starts_with("postgres://"))
    return std::unique_ptr<Database>(TRY(Postgres::open(url)));
  std::string path = url;
  for (const std::string_view scheme : {"sqlite://", "sqlite:", "file:"})
    if (path.starts_with(scheme)) {
      path.erase(0, scheme.size());
      break;
    }
  if (path.find("://") != std::string::npos)
    return hinted(fail(Fault::invalid, "open the database: unknown kind of URL"),
                  "give shop.db, sqlite:shop.db or postgresql://user@host/shop");
  if (path.empty())
    return hinted(fail(Fault::invalid, "open the database: '{}' names no file", url),
                  "give shop.db, sqlite:shop.db or postgresql://user@host/shop");
  return std::unique_ptr<Database>(TRY(Sqlite::open(path)));
}

}  // namespace vestige
