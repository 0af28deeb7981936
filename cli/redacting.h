// Redacting: what `track` asks and says of columns that are redacted, or would be no longer.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"
#include "vestige/record/policy.h"

namespace vestige::cli {

/// Takes the columns that --unredact names out of a policy's list.
///
/// before   the table's policy so far
/// faults   invalid: another column that was redacted would be recorded in clear
Result<void> leave_redacted(Database& db, const std::string& name, const Policy& before,
                            const Arguments& arguments, Policy& policy);

/// Says how many changes hold columns in clear that are redacted from now on.
Result<void> tell_of_clear(Session& session, Database& db, const std::string& name,
                           const std::vector<std::string>& columns);

}  // namespace vestige::cli
