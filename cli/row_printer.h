// RowPrinter: rows of a table in each of the three formats.
#pragma once

#include <string>
#include <vector>

#include "cli/table.h"
#include "vestige/record/value.h"

namespace vestige::cli {

class RowPrinter {
 public:
  RowPrinter(Output& output, std::vector<std::string> columns);

  /// Does a row have just the columns that are being printed?
  bool fits(const Row& row) const;
  void row(const Row& row);
  void end() { table_.end(); }

 private:
  Output& output_;
  std::vector<std::string> columns_;
  Table table_;
};

std::vector<std::string> column_names(const Row& row);

}  // namespace vestige::cli
