// Changes of a row that are recorded before the one that led to them: by triggers of the application that
// are newer than capture's (SQLite fires the newest first), and by foreign keys of a table to itself. The
// trail puts them in order: vestige_late and vestige_put_back in sql/sqlite/order.sql.

#include "vestige/trail/sqlite/capture_writer.h"

namespace vestige::capture {

// One row and another are the same row, `given` a case. By column, so that the primary key finds it.
std::string Writer::same_identity(std::string_view left, std::string_view right,
                                  std::string_view given) const {
  const auto value = [&](std::string own) {
    return given.empty() ? own : fmt::format("case {} then {} end", given, own);
  };
  if (!live_.without_row_id)
    return fmt::format("{0}.{1} = {2}", left, live_.row_id,
                       value(fmt::format("{}.{}", right, live_.row_id)));
  std::vector<std::string> parts;
  for (const std::string& column : identity_)
    parts.push_back(fmt::format("{} = {} collate binary", at(left, column),
                                parts.empty() ? value(at(right, column)) : at(right, column)));
  return all_of(parts);
}

// The row in the table, t, has the values of NEW, as SQLite compares them: the storage class of a number and
// the sign of a zero are left out. To call a row changed that is not would be worse, and that much more text
// dearer than what it is good for.
std::string Writer::same_values() const {
  std::vector<std::string> now;
  std::vector<std::string> then;
  for (const Column& column : shape_.columns) {
    if (live_.row_id_is_key && quote(column.name) == live_.row_id) continue;  // found by it
    now.push_back(bare(column.name) + binary());
    then.push_back(at("NEW", column.name));
  }
  if (now.empty()) return "true";
  const std::string_view form = now.size() == 1 ? "{} is {}" : "({}) is ({})";
  return fmt::format(fmt::runtime(form), join(now, ", "), join(then, ", "));
}

// What vestige_last says, and its 0 only where the row is no longer as this change leaves it. A join in FROM,
// because an expression around a subquery counts among those in it, and a null in place of the row where nobody asks.
std::string Writer::state(std::string_view side) const {
  const bool gone = side == "OLD";
  const std::string row =
      live_.without_row_id ? at("t", identity_[0]) : fmt::format("t.{}", live_.row_id);
  return fmt::format(
      "(select state from (select l.state, {} as k from vestige_last as l left join {} as t on "
      "{}{})"
      " where state or k is {}null)",
      row, quote(live_.name), same_identity("t", side, "l.state when 0"),
      gone ? "" : " and " + same_values(), gone ? "not " : "");
}

// Only where OLD does not know what was last recorded of the row. One statement for each part: after one
// has put the row back, the others find nothing.
void Writer::put_back(std::vector<std::string>& body) const {
  if (!live_.follows || conflicts(true).empty()) return;
  const std::string same = shape_.row_ids ? "c.row_id = " + row_id("OLD")
                                          : "coalesce(c.new_key, c.key) is " + key("OLD");
  const std::string kept = all_of({fmt::format("r.tbl = {}", table_.id), "r.part = -1",
                                   "r.at = k.now", "r.keeper is " + identity("OLD"),
                                   "c.id > r.since", "c.tbl = r.tbl", "c.at = r.at", same});
  for (std::size_t part = 0; part < parts(kPairs); ++part) {
    std::vector<std::string> stale;
    for (std::size_t i = part * kPairs; i < std::min(count(), (part + 1) * kPairs); ++i) {
      const std::size_t slot = i - part * kPairs;
      stale.push_back(fmt::format("m.changed & {} and m.v{} is not {}", std::int64_t{1} << slot,
                                  2 * slot + 1, at("OLD", shape_.columns[i].name)));
    }
    body.push_back(fmt::format(
        "insert into vestige_put_back (row, key) select l.row, {0} from (select r.rowid as row,"
        " max(c.id) as last from vestige_clock as k join vestige_replaced as r join vestige_change "
        "as c"
        " where {1}) as l"
        " join (select id from vestige_change where op = 'U') as x on x.id = l.last join {2}"
        " join (select 1 from {3} as t where {4} and {5}) as t where {6}",
        key("OLD"), kept,
        part == 0
            ? "vestige_change as m on m.id = x.id"
            : fmt::format("(select * from vestige_more where part = {}) as m on m.change = x.id",
                          part),
        quote(live_.name), same_identity("t", "NEW", ""), same_values(), any_of(stale)));
  }
}

}  // namespace vestige::capture
