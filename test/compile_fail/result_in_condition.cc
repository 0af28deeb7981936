// "No error" must not pass for "there is a row": a Result has no conversion to bool.
#include "vestige/db/database.h"

namespace vestige {

Result<int> count(Rows& rows) {
  int found = 0;
#ifdef WRONG
  while (rows.next()) ++found;
#else
  while (TRY(rows.next()) == Step::row) ++found;
#endif
  return found;
}

}  // namespace vestige
