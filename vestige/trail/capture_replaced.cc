// Rows that a REPLACE removes without firing the DELETE trigger: BEFORE triggers keep the rows that are in
// the way, AFTER triggers settle which of them are gone. And what both sides use to name a row.

#include <algorithm>

#include "vestige/trail/capture_writer.h"

namespace vestige {
namespace capture {

// What tells one row of the table from another: the rowid, or the stored form of the primary key.
std::string Writer::identity(std::string_view side) const {
  if (!live_.without_row_id) return fmt::format("{}.{}", side, live_.row_id);
  std::vector<std::string> columns;
  for (const std::string& column : identity_) columns.push_back(at(side, column));
  return key_expression(columns);
}

// The row of vestige_replaced is the row `side` of the table.
std::string Writer::same_row(std::string_view side) const {
  return fmt::format("vestige_replaced.identity is {}", identity(side));
}

// The row of vestige_replaced is OLD itself, and not one that OLD has taken the place of.
std::string Writer::keeps_old() const {
  std::string parts;
  for (std::size_t part = 0; part < row_parts(); ++part) {
    std::vector<std::string> slots = {"false"};
    for (std::size_t i = part * kSlots; i < std::min(count(), (part + 1) * kSlots); ++i)
      slots.push_back(fmt::format("vestige_replaced.v{} is not {}", i - part * kSlots,
                                  at("OLD", shape_.columns[i].name)));
    parts += fmt::format(" when {} then not {}", part, any_of(slots));
  }
  return same_row("OLD") + " and case vestige_replaced.part" + parts + " end";
}

// The row of vestige_replaced (part 0) is still in the table. By column, so that the primary key
// finds it.
std::string Writer::stands() const {
  std::string where;
  if (live_.without_row_id) {
    std::vector<std::string> parts;
    for (const std::string& column : identity_) {
      const auto place = std::find_if(shape_.columns.begin(), shape_.columns.end(),
                                      [&](const Column& own) { return own.name == column; });
      parts.push_back(fmt::format("{} = vestige_replaced.v{} collate binary", at("t", column),
                                  place - shape_.columns.begin()));
    }
    where = join(parts, " and ");
  } else {
    where = fmt::format("t.{} = vestige_replaced.identity", live_.row_id);
  }
  return fmt::format("exists (select 1 from {} as t where {})", quote(live_.name), where);
}

// A column of NEW; `fallback`: with the default that REPLACE will put for NULL where NULL may not be, and
// with the INTEGER PRIMARY KEY that SQLite will choose, which is -1 in a BEFORE trigger.
std::string Writer::new_value(const LiveColumn& column, bool fallback) const {
  const std::string value = "NEW." + quote(column.name);
  if (fallback && live_.row_id_is_key && column.primary_key > 0)
    return fmt::format("iif({0} = -1, (select coalesce(max({1}), 0) + 1 from {2}), {0})", value,
                       quote(column.name), quote(live_.name));
  return fallback && !column.fallback.empty()
             ? fmt::format("coalesce({}, {})", value, column.fallback)
             : value;
}

// One row with the columns of NEW, for the expressions and conditions of indexes.
std::string Writer::new_row(bool fallback) const {
  std::vector<std::string> columns;
  for (const LiveColumn& column : live_.columns)
    columns.push_back(fmt::format("{} as {}", new_value(column, fallback), quote(column.name)));
  return "(select " + join(columns, ", ") + ")";
}

std::string Writer::conflict(const UniqueIndex& index, bool fallback) const {
  // What a generated column will be with the default in it is not to be seen: any row may be in the way.
  const bool unseen = fallback && std::any_of(live_.columns.begin(), live_.columns.end(),
                                              [](const LiveColumn& own) { return own.generated; });
  std::vector<std::string> parts = {"true"};
  for (const UniqueIndex::Term& term : index.terms) {
    const LiveColumn* column = live_.find(term.column);
    if (unseen && (column == nullptr || column->generated)) continue;
    const std::string value = column == nullptr
                                  ? fmt::format("(select {} from {})", term.sql, new_row(fallback))
                                  : new_value(*column, fallback);
    const std::string own = column == nullptr ? term.sql : "t." + term.sql;
    parts.push_back(fmt::format("{} = {} collate {}", own, value, quote(term.collation)));
  }
  if (!index.where.empty()) {
    parts.push_back("(" + index.where + ")");
    if (!unseen)
      parts.push_back(fmt::format("(select {} from {})", index.where, new_row(fallback)));
  }
  return join(parts, " and ");
}

// For each unique constraint, the condition under which row t stands in the way of NEW.
std::vector<std::string> Writer::conflicts(bool update) const {
  std::vector<std::string> out;
  if (!live_.without_row_id && (live_.row_id_is_key || !update))
    out.push_back(fmt::format("t.{0} = NEW.{0}", live_.row_id));
  // NEW has its NULLs still, where SQLite will put a default or a new key before it looks for conflicts.
  std::vector<std::string> nulls;
  if (live_.row_id_is_key && !update) nulls.push_back(fmt::format("NEW.{} = -1", live_.row_id));
  for (const LiveColumn& column : live_.columns)
    if (!column.fallback.empty()) nulls.push_back("NEW." + quote(column.name) + " is null");
  for (const UniqueIndex& index : live_.unique) {
    out.push_back(conflict(index, false));
    const bool affected =
        std::any_of(index.terms.begin(), index.terms.end(), [&](const UniqueIndex::Term& term) {
          const LiveColumn* column = live_.find(term.column);
          return column == nullptr || column->generated || !column->fallback.empty();
        });
    if (!nulls.empty() && (affected || !index.where.empty()))
      out.push_back("(" + join(nulls, " or ") + ") and " + conflict(index, true));
  }
  if (!update) return out;
  const std::string other = fmt::format("{} is not {}", identity("t"), identity("OLD"));
  for (std::string& condition : out) condition += " and " + other;
  return out;
}

std::string Writer::any_conflict(const std::vector<std::string>& conflicts) const {
  std::vector<std::string> parts;
  for (const std::string& condition : conflicts)
    parts.push_back(
        fmt::format("exists (select 1 from {} as t where {})", quote(live_.name), condition));
  return join(parts, " or ");
}

// Keeps the rows in the way in vestige_replaced, where the AFTER trigger finds out which are gone. What an
// OR IGNORE or an upsert left there is cleared by the next.
std::vector<std::string> Writer::keep_replaced(const std::vector<std::string>& conflicts,
                                               bool update) const {
  std::vector<std::string> columns;
  for (const std::string& column : identity_) columns.push_back(at("t", column));
  const std::string row = live_.without_row_id ? join(columns, ", ") : "t." + live_.row_id;
  std::vector<std::string> found;
  for (const std::string& condition : conflicts)
    found.push_back(
        fmt::format("select {} from {} as t where {}", row, quote(live_.name), condition));
  const std::string rows = fmt::format("from {} as t where ({}) in ({})", quote(live_.name), row,
                                       join(found, " union "));
  const std::string keeper = update ? identity("OLD") : "null";
  // A newer trigger of the application writes the row again before ours has settled.
  std::vector<std::string> out;
  settle_some(conflicts.size(),
              fmt::format("tbl = {} and part = 0 and at = {} and keeper is {} and not {}",
                          table_.id, kNow, keeper, stands()),
              out);
  out.push_back(
      fmt::format("delete from vestige_replaced where tbl = {} and (keeper is {} or at <> {})",
                  table_.id, keeper, kNow));
  if (update && live_.follows)
    out.push_back(
        fmt::format("insert into vestige_replaced (tbl, at, keeper, part, since) values ({}, {}, "
                    "{}, -1, (select max(id) from vestige_change))",
                    table_.id, kNow, keeper));
  for (std::size_t part = 0; part < row_parts(); ++part) {
    const std::size_t slots = std::min(count() - part * kSlots, kSlots);
    out.push_back(fmt::format(
        "insert into vestige_replaced (tbl, shape, at, keeper, seq, cleared, part, identity, "
        "row_id, key{})"
        " select {}, {}, {}, {}, {}, {}, {}, {}, {}, {}{} {}",
        slot_names(0, slots), table_.id, shape_.id, kNow, keeper,
        part == 0 ? "total_changes() - changes()" : "0", part == 0 ? "total_changes()" : "0", part,
        identity("t"), row_id("t"), key("t"), row_values("t", part), rows));
  }
  return out;
}

// Records as deleted those of the rows kept for NEW that are gone; there is one for each constraint at
// most. Whatever the policy's condition says: what a REPLACE removes silently is never left out.
void Writer::settle(bool update, std::vector<std::string>& body) const {
  settle_some(conflicts(update).size(), replaced(update), body);
}

void Writer::settle_some(std::size_t most, const std::string& which,
                         std::vector<std::string>& body) const {
  for (std::size_t i = 0; i < most; ++i)
    body.push_back(
        fmt::format("insert into vestige_settle (row) values ((select rowid from vestige_replaced "
                    "where {} limit 1))",
                    which));
}

// An UPDATE OR REPLACE whose own row is deleted by a foreign key of the row that it replaces ends there,
// without its AFTER trigger.
void Writer::settle_cut_short(std::vector<std::string>& body) const {
  if (!live_.follows) return;
  settle_some(conflicts(true).size(),
              fmt::format("tbl = {} and part = 0 and at = {} and keeper is {} and not {}",
                          table_.id, kNow, identity("OLD"), stands()),
              body);
}

// Which rows of vestige_replaced were kept for NEW and are gone.
std::string Writer::replaced(bool update) const {
  std::string which =
      fmt::format("tbl = {} and part = 0 and at = {} and keeper is {} and (not {} or {})",
                  table_.id, kNow, update ? identity("OLD") : "null", stands(), same_row("NEW"));
  if (update) which += " and not " + same_row("OLD");
  return which;
}

// A row that is kept for another statement's row, and changed by a cascade or a trigger before that is
// done, is kept as it is now.
void Writer::follow_kept(std::vector<std::string>& body) const {
  for (std::size_t part = 0; part < row_parts(); ++part) {
    std::string values;
    for (std::size_t i = part * kSlots; i < std::min(count(), (part + 1) * kSlots); ++i)
      values += fmt::format(", v{} = {}", i - part * kSlots, at("NEW", shape_.columns[i].name));
    body.push_back(fmt::format(
        "update vestige_replaced set identity = {}, row_id = {}, key = {}{} where tbl = {}"
        " and part = {} and {}",
        identity("NEW"), row_id("NEW"), key("NEW"), values, table_.id, part, keeps_old()));
  }
}

}  // namespace capture

std::string key_expression(const std::vector<std::string>& columns) {
  if (columns.size() == 1) return columns[0];
  std::string out = "'['";
  for (std::size_t i = 0; i < columns.size(); ++i)
    out += fmt::format(
        " || {1}case typeof({0}) when 'integer' then {0} when 'text' then json_quote({0})"
        " when 'null' then 'null' when 'blob' then '{{\"$blob\":\"' || hex({0}) || '\"}}'"
        " else case when cast({0} as integer) = {0} then cast({0} as integer)"
        " when {0} between -1.7976931348623157e308 and 1.7976931348623157e308 then "
        "printf('%!.19g', {0})"
        " else '{{\"$real\":\"' || printf('%!.19g', {0}) || '\"}}' end end",
        columns[i], i == 0 ? "" : "',' || ");
  return out + " || ']'";
}

Result<std::vector<Trigger>> temporary_trail_triggers(Database& db) {
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
