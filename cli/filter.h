// The filter of changes: the options by which log and revert choose, and what they mean.
#pragma once

#include "cli/arguments.h"
#include "vestige/trail/changes.h"

namespace vestige::cli {

/// What every --query says: all of it holds.
///
/// faults   invalid
Result<Filter> read_filters(const Arguments& arguments);

/// --query where rows are chosen by their keys, and what its FILTER is.
Option key_filter_option();
inline constexpr const char* kKeyFilter =
    "FILTER says which rows: key:17,18 those with one of these values in their keys, key.COLUMN "
    "with "
    "any comparison (key.order_id>=100 -key.line:1), key:* all "
    "(docs/filter.md).";

/// --query, --since, --until, --actor, --db-user, --op and --column.
std::vector<Option> filter_options();

/// What they say, and --tx, but for --since and --until. An option that is given several times means any of its values; of filters, all hold.
///
/// faults   invalid
Result<Selection> filter(const Arguments& arguments);

}  // namespace vestige::cli
