// Changes of a row that are recorded before the one that led to them: by triggers of the application that
// are newer than capture's (SQLite fires the newest first), and by foreign keys of a table to itself. The
// trail puts them in order: vestige_late and vestige_put_back in sql/sqlite/order.sql.

#include "vestige/trail/sqlite/capture_writer.h"

namespace vestige::capture {

// A condition: the row of the table as t is that of `right`, the first of its columns given as `first`. By column, so that the
// primary key finds it.
std::string Writer::same_row(std::string_view right, const std::string& first) const {
  std::vector<std::string> own = place("t");
  std::vector<std::string> other = place(right);
  if (!first.empty()) other[0] = first;
  if (live_.without_row_id)
    for (std::string& column : other) column += " collate binary";
  return fmt::format("{} = {}", row(own), row(other));
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

// What vestige_last says, and its 0 only where the row is no longer as this change leaves it. A join in FROM, and a null in
// place of the row where nobody asks.
std::string Writer::state(std::string_view side) const {
  const bool gone = side == "OLD";
  const std::string asked = fmt::format("case l.state when 0 then {} end", place(side)[0]);
  return fmt::format(
      "(select state from (select l.state, {} as k from vestige_last as l left join {} as t on "
      "{}{})"
      " where state or k is {}null)",
      place("t")[0], quote(live_.name), same_row(side, asked), gone ? "" : " and " + same_values(),
      gone ? "not " : "");
}

// Only where OLD does not know what was last recorded of the row. One statement for each part: after one
// has put the row back, the others find nothing.
void Writer::put_back(std::vector<std::string>& body) const {
  if (!live_.follows || conflicts(true).empty()) return;
  const std::string same =
      shape_.row_ids ? "c.row_id = " + row_id("OLD") : "coalesce(c.new_key, c.key) is o.key";
  for (std::size_t part = 0; part < parts(kPairs); ++part) {
    std::vector<std::string> stale;
    for (std::size_t i = part * kPairs; i < std::min(count(), (part + 1) * kPairs); ++i) {
      const std::size_t slot = i - part * kPairs;
      stale.push_back(fmt::format("m.changed & {} and m.v{} is not {}", std::int64_t{1} << slot,
                                  2 * slot + 1, kept("OLD", shape_.columns[i])));
    }
    body.push_back(fmt::format(
        "insert into vestige_put_back (row, key) select l.row, l.key from (select r.rowid as row,"
        " o.key, max(c.id) as last from (select {0} as key, {1} as own, now from vestige_clock) as "
        "o"
        " join vestige_replaced as r on (r.tbl, r.part, r.at, r.keeper) is ({2}, -1, o.now, o.own)"
        " join vestige_change as c on c.id > r.since and (c.tbl, c.at) is (r.tbl, r.at) and {3}) as"
        " l join (select id from vestige_change where op = 'U') as x on x.id = l.last join {4}"
        " join (select 1 from {5} as t where {6} and {7}) as t where {8}",
        key("OLD"), identity("OLD"), table_.id, same,
        part == 0
            ? "vestige_change as m on m.id = x.id"
            : fmt::format("(select * from vestige_more where part = {}) as m on m.change = x.id",
                          part),
        quote(live_.name), same_row("NEW", ""), same_values(), one_of(stale)));
  }
}

}  // namespace vestige::capture
