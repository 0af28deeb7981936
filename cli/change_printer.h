// ChangePrinter: a list of changes, one after another, in whatever form was asked for.
#pragma once

#include "cli/arguments.h"
#include "cli/output.h"
#include "cli/table.h"
#include "vestige/audit/log.h"

namespace vestige::cli {

/// What is the same in every line, because it was asked for, is not repeated.
struct ChangeForm {
  bool whole = false;  // every value, as `show` prints them
  bool patch = false;
  bool oneline = false;
  bool tables = true;
  bool keys = true;
  bool index = false;
};

ChangeForm change_form(const Arguments& arguments, const LogRequest& asked);

class ChangePrinter {
 public:
  ChangePrinter(Output& output, ChangeForm form);

  void print(const Change& change);
  /// Was there one?
  bool any() const { return any_; }
  /// Prints what is held back; more may come.
  void settle() { table_.end(); }
  void end() { table_.end(); }

 private:
  void row(const Change& change);

  Output& output_;
  ChangeForm form_;
  Table table_;
  bool any_ = false;
};

}  // namespace vestige::cli
