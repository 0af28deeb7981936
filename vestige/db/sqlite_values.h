// Values as SQLite hands them to a function, and takes them from one. For vestige/db and clients/sqlite only.
#pragma once

#include "vestige/db/sqlite_api.h"
#include "vestige/record/value.h"

namespace vestige {

/// The value of an argument, as it is.
Value value_of(sqlite3_value* value);

/// A function's or a column's result.
void give(sqlite3_context* context, const Value& value);

}  // namespace vestige
