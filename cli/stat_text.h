// Transactions in words: log --stat, and the head of show --tx.
#pragma once

#include <string>

#include "cli/output.h"
#include "cli/table.h"
#include "vestige/audit/stat.h"

namespace vestige::cli {

/// "products: UPDATE 3 (price, name), INSERT 1; lines: DELETE 1"
std::string what_was_done(const TransactionStat& stat);

/// Transactions, one a line, in the format that was chosen.
class StatPrinter {
 public:
  explicit StatPrinter(Output& output);

  void print(const TransactionStat& stat);
  void end() { table_.end(); }

 private:
  Output& output_;
  Table table_;
};

}  // namespace vestige::cli
