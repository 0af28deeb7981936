// Changes of a row that are recorded before the one that led to them: by triggers of the application that
// are newer than capture's (SQLite fires the newest first), and by foreign keys of a table to itself. The
// trail puts them in order: vestige_late and vestige_put_back in sql/sqlite/order.sql.

#include "vestige/trail/capture_writer.h"

namespace vestige::capture {

// One row and another are the same row. By column, so that the primary key finds it.
std::string Writer::same_identity(std::string_view left, std::string_view right) const {
  if (!live_.without_row_id) return fmt::format("{0}.{2} = {1}.{2}", left, right, live_.row_id);
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
        "insert into vestige_late_parts (change, block) values ((select id from vestige_change"
        " where id = (select max(id) from vestige_change) and backward = -1),"
        " coalesce((select c.id + 1 from vestige_change as c where c.id < (select max(id) from"
        " vestige_change) and c.seq is not null order by c.id desc limit 1), 1))");
}

// Only where OLD does not know what was last recorded of the row.
void Writer::put_back(std::vector<std::string>& body) const {
  if (!live_.follows || conflicts(true).empty()) return;
  std::vector<std::string> stale = {"false"};
  for (std::size_t part = 0; part < pair_parts(); ++part) {
    std::vector<std::string> slots;
    for (std::size_t i = part * kPairs; i < std::min(count(), (part + 1) * kPairs); ++i) {
      const std::size_t slot = i - part * kPairs;
      slots.push_back(fmt::format("{0}.changed >> {1} & 1 and {0}.v{2} is not {3}",
                                  part == 0 ? "x" : "m", slot, 2 * slot + 1,
                                  at("OLD", shape_.columns[i].name)));
    }
    const std::string differs = any_of(slots);
    stale.push_back(part == 0 ? differs
                              : fmt::format("exists (select 1 from vestige_more as m where "
                                            "m.change = x.id and m.part = {} and ({}))",
                                            part, differs));
  }
  const std::string same = shape_.row_ids ? "x.row_id = " + row_id("OLD")
                                          : "coalesce(x.new_key, x.key) is " + key("OLD");
  body.push_back(fmt::format(
      "insert into vestige_put_back (row, key) values ((select r.rowid from vestige_replaced as r"
      " where r.tbl = {0} and r.part = -1 and r.at = {1} and r.keeper is {2} and {3} and"
      " (select x.op = 'U' and {4} from vestige_change as x where x.id > coalesce(r.since, 0) and"
      " x.tbl = r.tbl and x.at = r.at and {5} order by x.id desc limit 1) limit 1), {6})",
      table_.id, kNow, identity("OLD"), unchanged(), any_of(stale), same, key("OLD")));
}

}  // namespace vestige::capture
