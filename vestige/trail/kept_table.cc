#include "vestige/trail/kept_table.h"

#include "vestige/trail/installation.h"
#include "vestige/trail/spelling.h"

namespace vestige {

Result<std::string> kept_table(Database& db, std::string_view name) {
  TRY(installation_of(db)->keep_table(name));
  return spelling_of(db).table(name);
}

Result<std::string> known_kept_table(Database& db, std::string_view name) {
  if (!TRY(installation_of(db)->has_table(name))) return std::string();
  return spelling_of(db).table(name);
}

}  // namespace vestige
