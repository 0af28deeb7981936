// The trail against the live tables: a step of verify. Test: test/evidence_verify_test.cc.
#pragma once

#include "vestige/audit/verify.h"

namespace vestige {

/// Replays the trail of every tracked table and holds what it leads to against the rows that stand there:
/// finds rows that were changed while nothing was recorded. Columns of which the trail knows nothing are
/// not judged, neither are rows that were never recorded, or that their key does not tell from others. Also whether capture stands as it should.
///
/// cost     a pass over the changes and a look at each of their rows; memory for each row
/// faults   offline, corrupt
Result<void> verify_live(Database& db, VerifySink& sink, Verdict& verdict);

}  // namespace vestige
