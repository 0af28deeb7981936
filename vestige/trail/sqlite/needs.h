// What a database needs of its application: collations and functions that nobody else registers. Covered by
// test/real/registered_elsewhere.py.
#pragma once

#include "vestige/db/database.h"
#include "vestige/trail/denied.h"

namespace vestige {

/// An error that says that something is not registered, in words that say what needs it; any other as it is.
Error explained_by_needs(Database& db, const Error& error, const Attempted& attempted);

}  // namespace vestige
