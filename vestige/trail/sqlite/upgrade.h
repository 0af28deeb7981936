// From an older trail on SQLite, whose tables each had all of capture in their own triggers or more of it than now, to one
// where they share it: docs/decisions/0011-shared-capture.md. The test is test/capture_shared_test.cc.
#pragma once

#include "vestige/db/database.h"

namespace vestige::sqlite {

/// Makes capture anew, in the caller's transaction. What was recorded stays, bit for bit.
///
/// faults   corrupt: a table of the trail is not as it was installed
Result<void> share_capture(Database& db);

/// Makes the index of who changed what (sql/sqlite/who.sql), and the triggers that write it, in the caller's transaction.
Result<void> find_by_who(Database& db);

/// Where data keys are written down or destroyed, they may be one person's alone (docs/decisions/0034-subject-keys.md).
Result<bool> knows_subjects(Database& db);

/// Has them be so, in the caller's transaction: the columns, and the guard of what was destroyed.
Result<void> know_subjects(Database& db);

}  // namespace vestige::sqlite
