// Whose what is encrypted in a row is: a digest of the subject that the policy of its table names, with a salt of the trail's own, which
// the wraps of its data keys have (docs/decisions/0034-subject-keys.md). Test: test/keys_test.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vestige/db/database.h"

namespace vestige {

/// Has the trail a salt, where it has none yet; in the caller's transaction.
Result<void> keep_subject_salt(Database& db);

/// 16 bytes.
///
/// table    the tracked table's number
/// subject  the value's text, as people see it
/// faults   missing: nothing was ever encrypted for a subject here
Result<std::string> subject_digest(Database& db, std::int64_t table, std::string_view subject);

}  // namespace vestige
