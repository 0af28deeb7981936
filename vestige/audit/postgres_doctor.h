// doctor on PostgreSQL: what sql/postgres/install/doctor.sql finds and mends. Test: postgres_doctor_test.cc.
#pragma once

#include <vector>

#include "vestige/audit/doctor.h"

namespace vestige {

/// doctor() of a trail whose version this vestige knows.
Result<std::vector<Finding>> doctor_on_postgres(Database& db, bool fix);

}  // namespace vestige
