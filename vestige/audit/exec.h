// exec: SQL in one transaction with a context.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "vestige/db/database.h"
#include "vestige/record/change.h"

namespace vestige {

/// Receives the rows that statements return (select, returning), one at a time, while exec runs.
class RowSink {
 public:
  RowSink() = default;
  RowSink(const RowSink&) = delete;
  RowSink& operator=(const RowSink&) = delete;
  virtual ~RowSink() = default;
  virtual void row(const Row& row) = 0;
  /// No more rows come, and all is about to be committed; a fault here rolls it back.
  virtual Result<void> end() { return {}; }
};

struct Executed {
  std::int64_t rows = 0;           // rows changed, as the database counts them
  std::int64_t changes = 0;        // changes recorded
  std::optional<std::int64_t> tx;  // their transaction
};

/// Runs every statement of a script in one transaction under a context; nothing happens when one fails.
///
/// sql      any number of statements; BEGIN, COMMIT, ROLLBACK, SAVEPOINT and ATTACH are refused
/// faults   invalid, denied, conflict
Result<Executed> exec(Database& db, std::string_view sql, const Context& context, RowSink* rows);

}  // namespace vestige
