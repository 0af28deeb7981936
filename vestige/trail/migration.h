// Migration: the tracked tables on their way through the statements of a script that changes the schema: what each does to
// them, and what became of them in the end. What ddl (audit/ddl.h) asks. Test: audit/ddl_test.cc, test/postgres_capture_ddl_test.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vestige/base/result.h"

namespace vestige {

/// Made before the transaction (see Tracking::migration) and gone after it: begin(), run() for each statement, finish(), all
/// of it in the transaction of a ContextScope.
class Migration {
 public:
  Migration() = default;
  Migration(const Migration&) = delete;
  Migration& operator=(const Migration&) = delete;
  virtual ~Migration() = default;

  /// faults   conflict: the trail is out of order already
  virtual Result<void> begin() = 0;

  /// Runs one statement, which stays inside the transaction.
  virtual Result<void> run(std::string_view statement) = 0;

  /// Fits capture to what stands now, and records what became of tables that were dropped.
  ///
  /// returns  one line for each thing that was done
  /// faults   denied: rows would refer to rows that are not there
  virtual Result<std::vector<std::string>> finish() = 0;
};

}  // namespace vestige
