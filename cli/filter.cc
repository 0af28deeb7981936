#include "cli/filter.h"

#include <iterator>

#include "vestige/base/time.h"

namespace vestige::cli {

std::vector<Option> filter_options() {
  return {
      {.names = "-q, --query",
       .value = "FILTER",
       .summary = "changes that a filter describes, e.g. 'op:update old.price>100' (see below)",
       .repeated = true},
      {.names = "--since", .value = "TIME", .summary = "changes at or after a time"},
      {.names = "--until", .value = "TIME", .summary = "changes before a time"},
      {.names = "--actor",
       .value = "NAME",
       .summary = "by whom: the actor, or where none was said the database's user",
       .repeated = true},
      {.names = "--db-user",
       .value = "NAME",
       .summary = "by a user of the database, whoever the actor was",
       .repeated = true},
      {.names = "--op",
       .value = "OP",
       .summary = "insert, update, delete, truncate, baseline or erase",
       .repeated = true},
      {.names = "--column", .value = "NAME", .summary = "changes of a column", .repeated = true},
      {.names = "-S, --appeared",
       .value = "TEXT",
       .summary = "changes by which a text came into a value or went out of it",
       .repeated = true}};
}

Result<Selection> filter(const Arguments& arguments) {
  Selection selection;
  selection.who = arguments.values("--actor");
  selection.db_users = arguments.values("--db-user");
  for (const std::string& op : arguments.values("--op"))
    selection.ops.push_back(TRY(op_from_name(op)));
  selection.columns = arguments.values("--column");
  selection.tx = TRY(arguments.number("--tx"));
  if (const auto texts = arguments.values("--appeared"); !texts.empty()) {
    Condition condition = {.field = "value"};
    for (const std::string& text : texts) {
      if (text.empty()) return fail(Fault::invalid, "read -S '': an empty text is in every value");
      condition.words.push_back({text, true});
    }
    selection.filter.conditions.push_back(std::move(condition));
  }
  Filter queries = TRY(read_filters(arguments));
  selection.filter.conditions.insert(selection.filter.conditions.end(),
                                     std::make_move_iterator(queries.conditions.begin()),
                                     std::make_move_iterator(queries.conditions.end()));
  return selection;
}

Result<Filter> read_filters(const Arguments& arguments) {
  Filter all;
  for (const std::string& text : arguments.values("--query")) {
    Filter filter = TRY(parse_filter(text, Now(clock_now(), Zone::local)));
    all.conditions.insert(all.conditions.end(), std::make_move_iterator(filter.conditions.begin()),
                          std::make_move_iterator(filter.conditions.end()));
  }
  return all;
}

Option key_filter_option() {
  return {.names = "-q, --query",
          .value = "FILTER",
          .summary = "rows that a filter of keys describes, e.g. 'key:1,2' (see above)",
          .repeated = true};
}

}  // namespace vestige::cli
