// The filter of changes: the options by which log and revert choose, and what they mean.
#pragma once

#include "cli/arguments.h"
#include "vestige/trail/changes.h"

namespace vestige::cli {

/// --query, --since, --until, --actor, --db-user, --op and --column.
std::vector<Option> filter_options();

/// What they say, and --tx. An option that is given several times means any of its values; of filters, all hold.
///
/// faults   invalid
Result<Selection> filter(const Arguments& arguments);

}  // namespace vestige::cli
