// What verify says of a trail, as reports speak of it.
#pragma once

#include <functional>

#include "vestige/audit/check.h"
#include "vestige/db/database.h"
#include "vestige/report/population.h"

namespace vestige {

/// Verifies the trail.
///
/// trust    without keys, signatures are not checked
/// step     called for each change; may be empty
/// archive  the directory of the archive that the database is read with: it is verified, too; "": there is none
/// faults   as verify
Result<Verified> verified_for_report(Database& db, const Trust& trust,
                                     const std::function<void()>& step,
                                     const std::string& archive = "");

}  // namespace vestige
