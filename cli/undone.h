// What a verb that works on many tables leaves undone, in words (vestige/trail/table_work.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/session.h"
#include "vestige/trail/table_work.h"

namespace vestige::cli {

Option lock_timeout_option();

/// faults   invalid: it is no such period
Result<std::string> lock_timeout(const Arguments& arguments);

/// Says what was left and why; nothing when all is done.
///
/// faults   that of the first table: all of them are named
Result<void> left_undone(Session& session, std::string_view verb, const std::vector<Undone>& undone,
                         std::size_t of);

}  // namespace vestige::cli
