// Table: rows for people, aligned. Widths come from the first rows; after them rows stream, so memory
// does not grow with their number. Data is cut only on a terminal.
#pragma once

#include <string>
#include <vector>

#include "cli/output.h"

namespace vestige::cli {

struct Heading {
  std::string name;
  bool right = false;    // numbers
  bool elastic = false;  // may be cut to fit a terminal,
  int least = 6;         // but not below this,
  bool dear = false;     // and only when the others are as small as they may be
};

class Table {
 public:
  Table(Output& output, std::vector<Heading> headings);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table() { end(); }

  /// One row; as many cells as headings.
  void row(std::vector<Piece> cells);
  /// Prints what is held back. The heading is printed only when there are rows.
  void end();

 private:
  void settle();
  void fit();
  void print(const std::vector<Piece>& cells);

  Output& output_;
  std::vector<Heading> headings_;
  std::vector<std::vector<Piece>> held_;
  std::vector<int> widths_;
  bool settled_ = false;
};

}  // namespace vestige::cli
