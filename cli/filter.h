// The options by which changes are chosen: log's, and what narrows a revert.
#pragma once

#include <vector>

#include "cli/arguments.h"
#include "cli/command.h"
#include "vestige/trail/changes.h"

namespace vestige::cli {

/// --since, --until, --op, --column
std::vector<Option> filter_options();

/// What they say; with --actor and --tx, where the verb has them.
///
/// faults   invalid
Result<Selection> filter(const Arguments& arguments);

}  // namespace vestige::cli
