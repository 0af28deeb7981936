// Rows that a REPLACE removed without firing the DELETE trigger: AFTER triggers settle which of those that were kept are gone.
// And what both sides use to name a row.

#include <algorithm>

#include "vestige/trail/install.h"
#include "vestige/trail/sqlite/capture_writer.h"
#include "vestige/trail/sqlite/installation.h"

namespace vestige {
namespace capture {

// The columns that tell one row of the table from another.
std::vector<std::string> Writer::place(std::string_view side) const {
  if (!live_.without_row_id) return {fmt::format("{}.{}", side, live_.row_id)};
  std::vector<std::string> columns;
  for (const std::string& column : identity_) columns.push_back(at(side, column));
  return columns;
}

// What tells it in one value: the rowid, or the stored form of the primary key.
std::string Writer::identity(std::string_view side) const { return key_expression(place(side)); }

// The same, only made where rows are kept when it is dear.
std::string Writer::scratch_identity(std::string_view side) const {
  return key_expression(place(side), identity_.size() > 1 ? " from vestige_replaced limit 1" : "");
}

// The columns of vestige_replaced, part 0, that say what place() does. A key column that the shape does not know was renamed
// by hand: it is looked for where keys stand, so that the text is as long as it was before.
std::vector<std::string> Writer::kept_place() const {
  if (!live_.without_row_id) return {"identity"};
  std::vector<std::string> columns;
  for (const std::string& column : identity_) {
    const auto found = std::find_if(shape_.columns.begin(), shape_.columns.end(),
                                    [&](const Column& own) { return own.name == column; });
    const std::size_t place = found == shape_.columns.end()
                                  ? columns.size()
                                  : static_cast<std::size_t>(found - shape_.columns.begin());
    columns.push_back(fmt::format("v{}", place));
  }
  return columns;
}

// A row of vestige_replaced (part 0), whose columns begin with `kept`, is still in the table. SQLite looks a rowid up for IN; by
// column, so that the primary key finds it.
std::string Writer::stands(std::string_view kept) const {
  if (!live_.without_row_id)
    return fmt::format("{}identity in (select {} from {})", kept, live_.row_id, quote(live_.name));
  std::vector<std::string> columns;
  for (const std::string& column : kept_place())
    columns.push_back(fmt::format("{}{} collate binary", kept, column));
  return fmt::format("exists (select 1 from (select 1 from {} as t where {} = {}))",
                     quote(live_.name), row(place("t")), row(columns));
}

// Rows that were kept for a row, as that was (empty: an INSERT's) and is now (empty: it is not there yet, or not any more), and
// are gone. The clock is not asked: vestige_settle does that, and what is old is only cleared.
Writer::Gone Writer::gone(std::string_view was, std::string_view now) const {
  const auto that_are = [&](const std::string& of, const std::string& keeper,
                            const std::string& mine, const std::string& stands) {
    std::vector<std::string> where = {fmt::format("{}keeper is {}", of, keeper)};
    if (!was.empty() && !now.empty())
      where.push_back(fmt::format("{}identity is not {}", of, keeper));
    where.push_back(now.empty() ? "not " + stands
                                : fmt::format("({}identity is {} or not {})", of, mine, stands));
    return join(where, " and ");
  };
  const std::string ours = fmt::format("(tbl, part) is ({}, 0)", table_.id);
  if (identity_.size() < 2)
    return {
        ours + " and " +
            that_are("", was.empty() ? "null" : identity(was), now.empty() ? "null" : identity(now),
                     stands(live_.without_row_id ? "vestige_replaced." : "")),
        ""};
  std::string keys;
  if (!was.empty()) keys += scratch_identity(was) + " as was";
  if (!now.empty()) keys += (keys.empty() ? "" : ", ") + scratch_identity(now) + " as now";
  return {"", fmt::format("select r.row from (select q.rowid as row, q.keeper, q.identity, {} as "
                          "stands from vestige_replaced as q where {}) as r{} where {}",
                          stands("q."), ours,
                          keys.empty() ? "" : " cross join (select " + keys + ") as k",
                          that_are("r.", was.empty() ? "null" : "k.was", "k.now", "r.stands"))};
}

// Records as deleted which of the rows kept are gone. Whatever the policy's condition says: what a REPLACE
// removes silently is never left out.
void Writer::settle(const Gone& gone, std::vector<std::string>& body) {
  body.push_back(gone.rows.empty() ? "delete from vestige_replaced where " + gone.where
                                   : "insert into vestige_gone (row) " + gone.rows);
}

// An UPDATE OR REPLACE whose own row is deleted by a foreign key of the row that it replaces ends there,
// without its AFTER trigger.
void Writer::settle_cut_short(std::vector<std::string>& body) const {
  if (live_.follows) settle(gone("OLD", ""), body);
}

// Which rows of vestige_replaced were kept for NEW and are gone.
Writer::Gone Writer::replaced(bool update) const { return gone(update ? "OLD" : "", "NEW"); }

// The row is kept for another statement's row, and gone: nothing is left to settle. A row that has taken
// its place is told from it by some columns.
void Writer::forget(std::vector<std::string>& body) const {
  std::vector<std::string> kept = {"tbl", "part"};
  std::vector<std::string> own = {std::to_string(table_.id), "0"};
  const auto add = [&](const std::string& column, const std::string& value) {
    if (std::find(kept.begin(), kept.end(), column) != kept.end()) return;
    kept.push_back(column);
    own.push_back(value);
  };
  const auto columns = kept_place();
  for (std::size_t i = 0; i < columns.size(); ++i) add(columns[i], place("OLD")[i]);
  for (std::size_t i = 0; i < std::min<std::size_t>(count(), 3); ++i)
    add(fmt::format("v{}", i), this->kept("OLD", shape_.columns[i]));
  body.push_back(
      fmt::format("update vestige_replaced set part = -2 where {} is {}", row(kept), row(own)));
}

}  // namespace capture

namespace {

// JSON of a value, but for its control characters.
std::string piece(const std::string& column) {
  return fmt::format(
      "case typeof({0}) when 'integer' then {0}"
      " when 'text' then '\"' || replace(replace({0}, '\\', '\\\\'), '\"', '\\\"') || '\"'"
      " when 'null' then 'null' when 'blob' then '{{\"$blob\":\"' || hex({0}) || '\"}}'"
      " else case when cast({0} as integer) + 0 = {0} + 0.0 then cast({0} as integer)"
      " when abs({0}) < 9e999 then printf('%!.19g', {0})"
      " else '{{\"$real\":\"' || printf('%!.19g', {0}) || '\"}}' end end",
      column);
}

// k, a text, with each NUL escaped, and then the other control characters. replace() finds no pattern that begins with a NUL:
// with each goes the character before it, the last that substr() sees. z is a NUL, l is -1.
constexpr std::string_view kEscaped =
    "(with recursive a (s) as (select k union select replace(s, substr(s, l) || z, substr(s, l) ||"
    " '\\u0000') from a where instr(s, z)), b (s, i) as (select s, 1 from a where not instr(s, z)"
    " union all select replace(s, char(i), case i when 8 then '\\b' when 9 then '\\t' when 10 then"
    " '\\n' when 12 then '\\f' when 13 then '\\r' else printf('\\u%04x', i) end), i + 1 from b"
    " where i < 32) select s from b where i = 32)";

}  // namespace

// JSON, without SQLite's json_quote, which versions before 3.41 do not run in a trigger under
// trusted_schema = off. Control characters, which are rare, are escaped in the whole text, where no others
// can stand. In pieces, each from the one below in FROM, so that no expression is deep; OFFSET keeps SQLite from making k
// once for each place that names it. p is '*[\1-\31]*'.
std::string key_expression(const std::vector<std::string>& columns, std::string_view when) {
  if (columns.size() == 1) return columns[0];
  const bool made = std::any_of(columns.begin(), columns.end(),
                                [](const std::string& own) { return own.starts_with("case "); });
  std::vector<std::string> values;
  std::vector<std::string> pieces;
  std::vector<std::string> whole = {"'['"};
  for (const std::string& column : columns) {
    const std::size_t i = values.size();
    if (i != 0) whole.emplace_back("','");
    whole.push_back(fmt::format("k{}", i));
    values.push_back(fmt::format("{} as c{}", column, i));
    pieces.push_back(fmt::format("{} as k{}", piece(made ? fmt::format("c{}", i) : column), i));
  }
  whole.emplace_back("']'");
  const std::string from =
      made ? fmt::format(" from (select {}{})", capture::join(values, ", "), when)
           : std::string(when);
  return fmt::format(
      "(select k from (select case when k glob p or instr(k, z) then {} else k end as k from"
      " (select {} as k, char(42, 91, 1, 45, 31, 93, 42) as p, char(0) as z, -1 as l from"
      " (select {}{}) limit 1 offset 0)))",
      kEscaped, capture::concatenation(std::move(whole)), capture::join(pieces, ", "), from);
}

// A row of part 0 that is deleted is one that was removed: vestige_settle records it.
Result<void> forget_kept(Database& db, std::optional<std::int64_t> table) {
  const std::string which = table.has_value() ? fmt::format(" where tbl = {}", *table) : "";
  TRY(db.run("update vestige_replaced set part = -2" + which));
  TRY(db.run("delete from vestige_replaced" + which));
  return {};
}

Result<std::vector<Trigger>> temporary_trail_triggers(Database& db) {
  TRY(sqlite::require_capture(db));
  std::vector<Trigger> out;
  for (const std::string_view name : kTrailTriggers) {
    auto rows =
        TRY(db.query("select sql, tbl_name from sqlite_schema where type = 'trigger' and name = ?1",
                     {Text{std::string(name)}}));
    if (TRY(rows->next()) == Step::end)
      return hinted(fail(Fault::corrupt, "read the trail: its trigger {} is missing", name),
                    "vestige doctor --fix");
    // CREATE TRIGGER name … ON table …
    std::string sql = rows->text(0);
    sql.replace(0, std::string_view("create trigger").size(), "create temp trigger");
    const std::string on = " on " + rows->text(1);
    sql.replace(sql.find(on), on.size(), " on main." + rows->text(1));
    out.push_back({std::string(name), std::move(sql)});
  }
  return out;
}

}  // namespace vestige
