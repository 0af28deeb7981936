// Remains: a trail of which tables are missing, because a tool that did not know them dropped them.
#pragma once

#include <string>
#include <vector>

#include "vestige/db/database.h"

namespace vestige {

struct Remains {
  bool any = false;                  // something stands where a trail does
  bool ours = false;                 // and init made it
  bool tables = false;               // one of its tables does
  std::vector<std::string> missing;  // the tables that should stand and do not
};

/// What is left of a trail, whole or not.
Result<Remains> remains(Database& db);

/// Takes away whatever is left: triggers, views, tables. Runs in the caller's transaction.
Result<void> remove_remains(Database& db);

}  // namespace vestige
