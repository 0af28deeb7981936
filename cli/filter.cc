#include "cli/filter.h"

namespace vestige::cli {

std::vector<Option> filter_options() {
  return {{.names = "--since", .value = "TIME", .summary = "changes at or after a time"},
          {.names = "--until", .value = "TIME", .summary = "changes before a time"},
          {.names = "--op",
           .value = "OP",
           .summary = "insert, update, delete, truncate, baseline or erase"},
          {.names = "--column", .value = "NAME", .summary = "changes of a column"}};
}

Result<Selection> filter(const Arguments& arguments) {
  Selection selection;
  selection.since = TRY(arguments.time("--since"));
  selection.until = TRY(arguments.time("--until"));
  selection.actor = arguments.value("--actor");
  selection.column = arguments.value("--column");
  selection.tx = TRY(arguments.number("--tx"));
  if (arguments.has("--op")) selection.op = TRY(op_from_name(arguments.text("--op")));
  return selection;
}

}  // namespace vestige::cli
