// trail_objects: the tables, indexes, views and guards that a trail consists of, held against those of a
// new one. Who drops a guard can rewrite history; doctor sees it here. Test: doctor_test.cc.
#pragma once

#include <string>
#include <vector>

#include "vestige/db/database.h"

namespace vestige::sqlite {

struct TrailObject {
  std::string type;  // "table", "index", "view", "trigger"
  std::string name;
  std::string sql;  // as it should be
  bool missing = false;
};

/// What is missing, or (except tables, of which only absence shows) reads otherwise than it should.
Result<std::vector<TrailObject>> altered_trail_objects(Database& db);

/// Makes them anew, except tables. Runs in the caller's transaction.
Result<void> restore_trail_objects(Database& db);

}  // namespace vestige::sqlite
