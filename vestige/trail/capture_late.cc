// Changes of a row that are recorded before the one that led to them: by triggers of the application that
// are newer than capture's (SQLite fires the newest first), and by foreign keys of a table to itself. The
// trail puts them in order: vestige_late and vestige_put_back in sql/sqlite/install.sql.

#include "vestige/trail/capture_writer.h"

namespace vestige::capture {

// One row and another are the same row. By column, so that the primary key finds it.
std::string Writer::same_identity(std::string_view left, std::string_view right) const {
  if (!live_.without_row_id)
    return fmt::format("{0}.{2} = {1}.{2}", left, right, live_.row_id);
  std::vector<std::string> parts;
  for (const std::string& column : identity_)
    parts.push_back(fmt::format("{} = {} collate binary", at(left, column), at(right, column)));
  return join(parts, " and ");
}

// The row is in the table as NEW has it. The sign of a zero is left out: to call a row changed that is not
// would be worse.
std::string Writer::unchanged() const {
  std::vector<std::string> parts;
  for (const Column& column : shape_.columns) {
    const std::string now = at("t", column.name);
    const std::string then = at("NEW", column.name);
    parts.push_back(fmt::format("{} is not {} collate binary", now, then));
    const LiveColumn* live = live_.find(column.name);
    if (live == nullptr || live->affinity == Affinity::none)
      parts.back() = fmt::format("({} or typeof({}) <> typeof({}))", parts.back(), now, then);
  }
  return fmt::format("exists (select 1 from {} as t where {} and not {})", quote(live_.name),
                     same_identity("t", "NEW"), any_of(parts));
}

std::string Writer::changed_since() const { return "not " + unchanged(); }

std::string Writer::there_again() const {
  return fmt::format("exists (select 1 from {} as t where {})", quote(live_.name),
                     same_identity("t", "OLD"));
}

// A change of one part is put in its place by vestige_change_run; others when they are complete.
void Writer::place_late(std::vector<std::string>& body) const {
  if (several_parts())
    body.push_back(
        "insert into vestige_late (change, rest) values ((select id from vestige_change"
        " where id = (select max(id) from vestige_change) and backward = -1), 0)");
}

void Writer::put_back(std::vector<std::string>& body) const {
  if (!live_.follows || conflicts(true).empty()) return;
  body.push_back(
      fmt::format("insert into vestige_put_back (row, key) values ((select rowid from "
                  "vestige_replaced where tbl = {} and part = -1 and at = {} and keeper is {} and "
                  "{} limit 1), {})",
                  table_.id, kNow, identity("OLD"), unchanged(), key("OLD")));
}

}  // namespace vestige::capture
