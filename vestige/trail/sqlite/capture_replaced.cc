// Rows that a REPLACE removes without firing the DELETE trigger: BEFORE triggers keep the rows that are in
// the way, AFTER triggers settle which of them are gone. And what both sides use to name a row.

#include <algorithm>

#include "vestige/trail/sqlite/capture_writer.h"
#include "vestige/trail/sqlite/installation.h"
#include "vestige/trail/sqlite/sql_text.h"

namespace vestige {
namespace capture {
namespace {

// The text has the name as a word.
bool names(std::string_view sql, std::string_view name) {
  const auto tokens = sql_tokens(sql);
  return std::any_of(tokens.begin(), tokens.end(),
                     [&](const SqlToken& token) { return same_name(bare_name(token.text), name); });
}

}  // namespace

// What tells one row of the table from another: the rowid, or the stored form of the primary key.
std::string Writer::identity(std::string_view side) const {
  if (!live_.without_row_id) return fmt::format("{}.{}", side, live_.row_id);
  std::vector<std::string> columns;
  for (const std::string& column : identity_) columns.push_back(at(side, column));
  return key_expression(columns);
}

// The same, only made where rows are kept when it is dear.
std::string Writer::scratch_identity(std::string_view side) const {
  return identity_.size() > 1
             ? fmt::format("(select {} from vestige_replaced limit 1)", identity(side))
             : identity(side);
}

// The row of vestige_replaced (part 0) is still in the table. By column, so that the primary key
// finds it.
std::string Writer::stands() const {
  std::vector<std::string> where;
  if (live_.without_row_id) {
    for (const std::string& column : identity_) {
      const auto place = std::find_if(shape_.columns.begin(), shape_.columns.end(),
                                      [&](const Column& own) { return own.name == column; });
      where.push_back(fmt::format("{} = vestige_replaced.v{} collate binary", at("t", column),
                                  place - shape_.columns.begin()));
    }
  } else {
    where.push_back(fmt::format("t.{} = vestige_replaced.identity", live_.row_id));
  }
  return fmt::format("exists (select 1 from {} as t where {})", quote(live_.name), all_of(where));
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

// An UPDATE of other columns than these meets no other row's key: SQLite does not even compile the trigger into it, which
// may need what only the application registers. Empty: of any column it may.
std::string Writer::unique_columns() const {
  std::vector<std::string> columns;
  const auto add = [&](const std::string& column) {
    if (std::find(columns.begin(), columns.end(), column) == columns.end())
      columns.push_back(column);
  };
  if (live_.row_id_is_key) columns = {live_.row_id, "rowid", "_rowid_", "oid"};
  bool generated = false;
  for (const UniqueIndex& index : live_.unique) {
    std::string text = index.where;
    for (const UniqueIndex::Term& term : index.terms) text += " " + term.sql;
    for (const std::string_view row_id : {"rowid", "_rowid_", "oid"})
      if (live_.find(std::string(row_id)) == nullptr && names(text, row_id)) return "";
    for (const LiveColumn& column : live_.columns) {
      if (!names(text, column.name)) continue;
      generated = generated || column.generated;
      if (!column.generated) add(quote(column.name));
    }
  }
  for (const LiveColumn& column : live_.columns)
    if (generated && column.named && !column.generated) add(quote(column.name));
  return columns.empty() ? "" : " of " + join(columns, ", ");
}

// A condition that always holds; none where there is no generated column. SQLite computes a generated column of NEW, in a
// trigger before an UPDATE, from the columns that the trigger names, and takes NULL for the others: those which it may be made
// of are named.
std::string Writer::made_of() const {
  std::vector<std::string> columns;
  bool generated = false;
  for (const LiveColumn& column : live_.columns) {
    generated = generated || column.generated;
    if (column.named && !column.generated) columns.push_back(at("NEW", column.name));
  }
  if (!generated || columns.empty()) return "";
  const std::string row = "(" + join(columns, ", ") + ")";
  return row + " is " + row;
}

// One row with those columns of NEW which an index's expression or condition names. No others: SQLite
// does not let a column go that a trigger names.
std::string Writer::new_row(const std::string& of, bool fallback) const {
  std::vector<std::string> columns;
  for (const LiveColumn& column : live_.columns)
    if (names(of, column.name))
      columns.push_back(fmt::format("{} as {}", new_value(column, fallback), quote(column.name)));
  return "(select " + (columns.empty() ? "null" : join(columns, ", ")) + ")";
}

std::string Writer::conflict(const UniqueIndex& index, bool fallback) const {
  // What a generated column will be with the default in it is not to be seen: any row may be in the way.
  const bool unseen = fallback && std::any_of(live_.columns.begin(), live_.columns.end(),
                                              [](const LiveColumn& own) { return own.generated; });
  std::vector<std::string> parts;
  for (const UniqueIndex::Term& term : index.terms) {
    const LiveColumn* column = live_.find(term.column);
    if (unseen && (column == nullptr || column->generated)) continue;
    const std::string value = column == nullptr ? fmt::format("(select {} from {})", term.sql,
                                                              new_row(term.sql, fallback))
                                                : new_value(*column, fallback);
    const std::string own = column == nullptr ? term.sql : "t." + term.sql;
    const bool plain = column != nullptr && !live_.collated && term.collation == "BINARY";
    parts.push_back(
        fmt::format("{} = {}{}", own, value, plain ? "" : " collate " + quote(term.collation)));
  }
  if (!index.where.empty()) {
    parts.push_back("(" + index.where + ")");
    if (!unseen)
      parts.push_back(
          fmt::format("(select {} from {})", index.where, new_row(index.where, fallback)));
  }
  return all_of(parts);
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
      out.push_back(all_of({any_of(nulls), conflict(index, true)}));
  }
  if (!update) return out;
  const std::string other = fmt::format("{} is not {}", identity("t"), identity("OLD"));
  for (std::string& condition : out) condition = all_of({other, condition});
  return out;
}

std::string Writer::any_conflict(const std::vector<std::string>& conflicts) const {
  std::vector<std::string> parts;
  for (const std::string& condition : conflicts)
    parts.push_back(
        fmt::format("exists (select 1 from {} as t where {})", quote(live_.name), condition));
  return any_of(parts);
}

// Keeps the rows in the way in vestige_replaced, where the AFTER trigger finds out which are gone. What an
// OR IGNORE or an upsert left there is cleared by the next.
std::vector<std::string> Writer::keep_replaced(const std::vector<std::string>& conflicts,
                                               bool update) const {
  std::vector<std::string> columns;
  for (const std::string& column : identity_) columns.push_back(at("t", column));
  const std::string row = live_.without_row_id ? join(columns, ", ") : "t." + live_.row_id;
  std::vector<std::string> found;
  // Each finds its rows by an index; only those of plain columns do when they stand side by side.
  const bool plain =
      std::none_of(live_.unique.begin(), live_.unique.end(), [](const UniqueIndex& index) {
        return !index.where.empty() ||
               std::any_of(index.terms.begin(), index.terms.end(),
                           [](const UniqueIndex::Term& term) { return term.column.empty(); });
      });
  for (const std::string& condition : conflicts)
    found.push_back(plain ? condition
                          : fmt::format("({}) in (select {} from {} as t where {})", row, row,
                                        quote(live_.name), condition));
  const std::string keeper = update ? identity("OLD") : "null";
  // A newer trigger of the application writes the row again before ours has settled.
  std::vector<std::string> out;
  settle(all_of({kept_for(keeper), "not " + stands()}), out);
  out.push_back(
      fmt::format("insert into vestige_clear (tbl, keeper) values ({}, {})", table_.id, keeper));
  if (update && live_.follows) {
    Insertion before("vestige_replaced");
    before.add("tbl", std::to_string(table_.id)).add("at", std::string(kNow));
    before.add("keeper", keeper).add("part", "-1");
    out.push_back(
        before.add("since", "(select coalesce(max(id), 0) from vestige_change)").values());
  }
  const std::string own = identity("t");
  for (std::size_t part = 0; part < parts(kSlots); ++part) {
    Insertion kept("vestige_keep");
    kept.add("tbl", std::to_string(table_.id));
    if (update) kept.add("keeper", keeper);
    if (part != 0) kept.add("part", std::to_string(part));
    kept.add("identity", own);
    if (part == 0) {
      kept.add("shape", std::to_string(shape_.id));
      if (shape_.row_ids) kept.add("row_id", row_id("t"));
      if (!key_.empty()) kept.add("key", key("t"));
    }
    if (count() > part * kSlots + kSlots / 2) kept.add("wide", "1");
    for (std::size_t i = part * kSlots; i < std::min(count(), (part + 1) * kSlots); ++i)
      kept.add(fmt::format("v{}", i - part * kSlots), bare(shape_.columns[i].name));
    out.push_back(
        kept.select(fmt::format(" from {} as t where {}", quote(live_.name), any_of(found))));
  }
  return out;
}

// Records as deleted which of the rows kept are gone. Whatever the policy's condition says: what a REPLACE
// removes silently is never left out.
void Writer::settle(const std::string& which, std::vector<std::string>& body) const {
  body.push_back("delete from vestige_replaced where " + which);
}

// An UPDATE OR REPLACE whose own row is deleted by a foreign key of the row that it replaces ends there,
// without its AFTER trigger.
void Writer::settle_cut_short(std::vector<std::string>& body) const {
  if (!live_.follows) return;
  settle(all_of({kept_for(identity("OLD")), "not " + stands()}), body);
}

// The clock is not asked: vestige_settle does that, and what is old is only cleared.
std::string Writer::kept_for(const std::string& keeper) const {
  return fmt::format("((tbl = {} and part = 0) and keeper is {})", table_.id, keeper);
}

// Which rows of vestige_replaced were kept for NEW and are gone.
std::string Writer::replaced(bool update) const {
  std::string gone = fmt::format("(identity is {} or not {})", identity("NEW"), stands());
  if (update) gone = fmt::format("identity is not {} and {}", identity("OLD"), gone);
  return kept_for(update ? identity("OLD") : "null") + " and " + gone;
}

}  // namespace capture

// JSON, without SQLite's json_quote, which versions before 3.41 do not run in a trigger under
// trusted_schema = off. Control characters, which are rare, are escaped in the whole text, where no others
// can stand; NUL, where SQLite's text functions stop, by way of a BLOB: o is where one may be next in r, and z
// is one, of two bytes in a UTF-16 database, where one that straddles two characters is none.
std::string key_expression(const std::vector<std::string>& columns) {
  if (columns.size() == 1) return columns[0];
  std::vector<std::string> pieces = {"'['"};
  for (const std::string& column : columns)
    pieces.push_back(fmt::format(
        "{1}case typeof({0}) when 'integer' then {0}"
        " when 'text' then '\"' || replace(replace({0}, '\\', '\\\\'), '\"', '\\\"') || '\"'"
        " when 'null' then 'null' when 'blob' then '{{\"$blob\":\"' || hex({0}) || '\"}}'"
        " else case when cast({0} as integer) + 0 = {0} + 0.0 then cast({0} as integer)"
        " when abs({0}) < 9e999 then printf('%!.19g', {0})"
        " else '{{\"$real\":\"' || printf('%!.19g', {0}) || '\"}}' end end",
        column, pieces.size() == 1 ? "" : "',' || "));
  pieces.emplace_back("']'");
  return fmt::format(
      "(select case when k not glob '*[' || char(1) || '-' || char(31) || ']*' and not instr(k, "
      "char(0))"
      " then k else (with recursive e (i, s, r, o, z) as (select 0, '', cast(k as blob),"
      " instr(cast(k as blob), cast(char(0) as blob)), cast(char(0) as blob) union all select"
      " iif(o, 0, i + 1),"
      " case when i then replace(s, char(i), case i when 8 then '\\b' when 9 then '\\t' when 10 "
      "then"
      " '\\n' when 12 then '\\f' when 13 then '\\r' else printf('\\u%04x', i) end)"
      " when not o then s || cast(r as text) when (o - 1) % length(z) then s"
      " else s || cast(substr(r, 1, o - 1) as text) || '\\u0000' end,"
      " case when o and not (o - 1) % length(z) then substr(r, o + length(z)) else r end,"
      " case when not o then 0 when (o - 1) % length(z) then iif(instr(substr(r, o + 1), z),"
      " o + instr(substr(r, o + 1), z), 0) else instr(substr(r, o + length(z)), z) end, z"
      " from e where i < 32) select s from e where i = 32) end from (select {} as k))",
      capture::concatenation(std::move(pieces)));
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
