// Lent: a connection for somebody who asks through this program and has no login of their own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "vestige/db/database.h"

namespace vestige {

struct Lent {
  std::unique_ptr<Database> db;
  /// From here on nothing that is asked may take longer, all of it together: the work (SQLite); each statement, and the reading of
  /// all rows (PostgreSQL). What does is broken off, a conflict.
  std::function<Result<void>(std::chrono::milliseconds)> at_most;
};

/// Opens what open_database does. By a connection that only reads nothing can be written, whatever is asked.
///
/// role     PostgreSQL: whose rights it has, instead of the login's; "": the login's. SQLite has no roles
/// faults   as open_database; denied, invalid: the login may not act as the role, or there is none of that name
Result<Lent> lend_database(const std::string& url, const std::string& role, bool reads_only);

}  // namespace vestige
