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
/// faults   as verify
Result<Verified> verified_for_report(Database& db, const Trust& trust,
                                     const std::function<void()>& step);

}  // namespace vestige
