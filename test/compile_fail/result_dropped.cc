// A failure must not be lost by ignoring what a function returns.
#include "vestige/db/database.h"

namespace vestige {

Result<void> finish(Database& db) {
#ifdef WRONG
  db.commit();
#else
  TRY(db.commit());
#endif
  return {};
}

}  // namespace vestige
