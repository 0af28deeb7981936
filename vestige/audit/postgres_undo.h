// restore and revert on PostgreSQL: vestige.undo (sql/postgres/install.sql), change by change.
#pragma once

#include <string>

#include "vestige/audit/revert.h"

namespace vestige {

/// Undoes the selected changes, newest first, in one transaction under `context`.
///
/// what     for messages: "revert of tx 12"
/// faults   conflict, denied (a constraint, a trigger, a privilege), missing
Result<Outcome> undo_on_postgres(Database& db, const Selection& selection, const Context& context,
                                 const ApplyOptions& options, const std::string& what);

}  // namespace vestige
