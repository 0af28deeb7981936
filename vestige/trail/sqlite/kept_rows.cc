#include "vestige/trail/sqlite/kept_rows.h"

#include <algorithm>

#include "vestige/trail/sqlite/capture.h"

namespace vestige::sqlite {
namespace {

constexpr std::string_view kRow =
    "\"vestige row\"";  // a copy's own column: the rowid, where there is one

std::string join(const std::vector<std::string>& parts, std::string_view between) {
  return fmt::format("{}", fmt::join(parts, between));
}

bool has(const SqliteTable& table, const std::string& column) {
  return std::any_of(table.columns.begin(), table.columns.end(),
                     [&](const SqliteColumn& own) { return own.name == column; });
}

}  // namespace

// An empty table with the columns of `of`, without types and constraints, so that it takes any value
// as it is.
Result<SqliteTable> KeptRows::make_copy(const SqliteTable& of, const std::string& name) {
  SqliteTable copy;
  copy.name = name;
  copy.row_id = kRow;
  std::vector<std::string> columns = {fmt::format("{} integer primary key", kRow)};
  for (const SqliteColumn& column : of.columns) {
    columns.push_back(quote(column.name));
    copy.columns.push_back({column.name, "", Affinity::none, false, 0});
  }
  TRY(db_->script(fmt::format("create table main.{} ({})", quote(name), join(columns, ", "))));
  return copy;
}

// Puts the AFTER trigger of one event on a copy. A TEMP trigger: the table's own may stand in main.
Result<void> KeptRows::capture(const SqliteTable& copy, const Tracked& table,
                               std::string_view event) {
  for (const Trigger& trigger : TRY(capture_triggers(*db_, copy, table, true)))
    if (trigger.name == fmt::format("vestige_{}_{}", table.id, event))
      TRY(db_->script(trigger.sql));
  return {};
}

Result<std::int64_t> KeptRows::recorded_by(const std::string& sql) {
  const std::int64_t before = TRY(scalar_integer(*db_, "select max(id) from vestige_change"));
  TRY(db_->run(sql));
  return TRY(scalar_integer(*db_, "select max(id) from vestige_change")) - before;
}

Result<void> KeptRows::drop(const SqliteTable& copy) {
  return db_->script("drop table main." + quote(copy.name));
}

Result<KeptRows> KeptRows::keep(Database& db, const Tracked& table) {
  KeptRows kept(db, table, TRY(read_table(db, table.name)));
  const SqliteTable& was = kept.was_;
  kept.copy_ = TRY(kept.make_copy(was, table.name + " (rows before the migration)"));
  std::string into(kRow);
  std::string from = was.without_row_id ? "null" : was.row_id;
  for (const SqliteColumn& column : was.columns) {
    into += ", " + db.quote_name(column.name);
    from += ", " + db.quote_name(column.name);
  }
  TRY(db.run(fmt::format("insert into main.{} ({}) select {} from main.{}",
                         db.quote_name(kept.copy_.name), into, from, db.quote_name(was.name))));
  return kept;
}

Result<std::int64_t> KeptRows::deleted() {
  TRY(capture(copy_, table_, "delete"));
  const std::int64_t count = TRY(recorded_by("delete from main." + quote(copy_.name)));
  TRY(drop(copy_));
  return count;
}

Result<void> KeptRows::discard() { return drop(copy_); }

// What tells the rows of a table apart while it stands still.
std::string KeptRows::row_of(const SqliteTable& table) const {
  if (!table.without_row_id) return table.row_id;
  std::vector<std::string> key;
  for (const std::string& column : table.primary_key()) key.push_back(quote(column));
  return fmt::format("row_number() over (order by {})", join(key, ", "));
}

// Row n of the new table is row t of the copy.
std::string KeptRows::same(const std::vector<Pair>& key) const {
  std::vector<std::string> parts;
  for (const Pair& pair : key)
    parts.push_back(fmt::format("n.{} is t.{}", quote(pair.is), quote(pair.was)));
  return join(parts, " and ");
}

std::string KeptRows::differs(const Pair& pair) const {
  return fmt::format("n.{0} is not t.{1} collate binary or typeof(n.{0}) <> typeof(t.{1})",
                     quote(pair.is), quote(pair.was));
}

std::vector<KeptRows::Pair> KeptRows::common(const SqliteTable& now,
                                             const std::vector<Renamed>& renamed) const {
  std::vector<Pair> pairs;
  for (const SqliteColumn& column : was_.columns) {
    std::string is = column.name;
    for (const Renamed& rename : renamed)
      if (rename.from == column.name) is = rename.to;
    if (has(now, is)) pairs.push_back({column.name, is});
  }
  return pairs;
}

// The key that tells rows apart in both tables; empty when there is none.
std::vector<KeptRows::Pair> KeptRows::common_key(const SqliteTable& now,
                                                 const std::vector<Pair>& pairs) const {
  std::vector<Pair> key;
  std::vector<std::string> names;
  for (const Column& column : table_.shape.key())
    for (const Pair& pair : pairs)
      if (pair.was == column.name) {
        key.push_back(pair);
        names.push_back(pair.is);
      }
  if (key.empty() || key.size() != table_.shape.key().size() || !has_unique(now, names)) return {};
  return key;
}

// A column that went and one that came at the same place, of the same type: one that was renamed, if
// every row has the same value in both. A key column's evidence is that the rows find each other.
Result<std::vector<Renamed>> KeptRows::renames(const SqliteTable& now) {
  std::vector<Renamed> key_columns;
  std::vector<Renamed> candidates;
  const auto key = table_.shape.key();
  for (std::size_t i = 0; i < std::min(was_.columns.size(), now.columns.size()); ++i) {
    const SqliteColumn& was = was_.columns[i];
    const SqliteColumn& is = now.columns[i];
    if (has(now, was.name) || has(was_, is.name) || was.type != is.type) continue;
    const bool in_key = std::any_of(key.begin(), key.end(),
                                    [&](const Column& column) { return column.name == was.name; });
    (in_key ? key_columns : candidates).push_back({was.name, is.name});
  }
  const auto pairs = common_key(now, common(now, key_columns));
  if (pairs.empty()) return std::vector<Renamed>();
  std::vector<Renamed> renamed = key_columns;
  for (const Renamed& candidate : candidates) {
    const std::int64_t contradicted = TRY(scalar_integer(
        *db_,
        fmt::format("select exists (select 1 from main.{} as n join main.{} as t on {} where {})",
                    quote(now.name), quote(copy_.name), same(pairs),
                    differs({candidate.from, candidate.to}))));
    if (contradicted == 0) renamed.push_back(candidate);
  }
  return renamed;
}

Result<void> KeptRows::match_by_key(const SqliteTable& now, const std::vector<Pair>& key,
                                    const std::vector<Pair>& pairs, Rebuilt& rebuilt) {
  const std::string copy = "main." + quote(copy_.name);
  const std::string table = "main." + quote(now.name);
  rebuilt.deleted = TRY(recorded_by(
      fmt::format("delete from {} as t where not exists (select 1 from {} as n where {})", copy,
                  table, same(key))));
  std::vector<std::string> assignments;
  std::vector<std::string> conditions;
  for (const Pair& pair : pairs) {
    assignments.push_back(fmt::format("{} = n.{}", quote(pair.was), quote(pair.is)));
    conditions.push_back(differs(pair));
  }
  rebuilt.updated = TRY(recorded_by(
      fmt::format("update {} as t set {} from {} as n where {} and ({})", copy,
                  join(assignments, ", "), table, same(key), join(conditions, " or "))));
  return {};
}

// Rows without a key are the same when all they have in common is; as many of one kind as of the other.
Result<void> KeptRows::match_whole_rows(const SqliteTable& now, const std::vector<Pair>& pairs,
                                        Rebuilt& rebuilt) {
  std::string of_copy;
  std::string of_now;
  std::string names;
  std::string kind;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    of_copy += fmt::format(", {} as c{}", quote(pairs[i].was), i);
    of_now += fmt::format(", {}", quote(pairs[i].is));
    names += fmt::format(", c{}", i);
    kind += fmt::format(", c{0} collate binary, typeof(c{0})", i);
  }
  if (pairs.empty()) kind = ", side";  // nothing in common: no row is the same
  TRY(db_->script("create temp table vestige_unmatched (side, at)"));
  TRY(db_->run(fmt::format(
      "insert into temp.vestige_unmatched"
      " with every as (select 0 as side, {} as at{} from main.{}"
      " union all select 1, {}{} from main.{}),"
      " numbered as (select side, at{}, row_number() over (partition by side{} order by at) as "
      "turn from every)"
      " select side, at from (select side, at, count(*) over (partition by turn{}) as both from "
      "numbered)"
      " where both = 1",
      kRow, of_copy, quote(copy_.name), row_of(now), of_now, quote(now.name), names, kind, kind)));
  rebuilt.deleted = TRY(recorded_by(fmt::format(
      "delete from main.{} where {} in (select at from temp.vestige_unmatched where side = 0)",
      quote(copy_.name), kRow)));
  return {};
}

// Rows that the new table alone has, recorded in the new shape.
Result<void> KeptRows::insert_new(const SqliteTable& now, const std::string& condition,
                                  Rebuilt& rebuilt) {
  std::string into(kRow);
  std::string from = fmt::format("{} as {}", row_of(now), kRow);
  for (const SqliteColumn& column : now.columns) {
    into += ", " + quote(column.name);
    from += ", " + quote(column.name);
  }
  const SqliteTable copy = TRY(make_copy(now, now.name + " (rows after the migration)"));
  TRY(capture(copy, rebuilt.table, "insert"));
  rebuilt.inserted = TRY(recorded_by(
      fmt::format("insert into main.{} ({}) select {} from (select {} from main.{}) as n where {}",
                  quote(copy.name), into, into, from, quote(now.name), condition)));
  return drop(copy);
}

Result<Rebuilt> KeptRows::rebuilt(const std::string& name) {
  const SqliteTable now = TRY(read_table(*db_, name));
  Rebuilt rebuilt;
  std::vector<std::string> key_columns;
  for (const Column& column : table_.shape.key()) key_columns.push_back(quote(column.name));
  if (!key_columns.empty())
    TRY(db_->script(fmt::format("create index main.{} on {} ({})", quote(copy_.name + " key"),
                                quote(copy_.name), join(key_columns, ", "))));
  rebuilt.renamed = TRY(renames(now));
  const auto pairs = common(now, rebuilt.renamed);
  const auto key = common_key(now, pairs);
  TRY(capture(copy_, table_, "delete"));
  TRY(capture(copy_, table_, "update"));
  if (key.empty()) TRY(match_whole_rows(now, pairs, rebuilt));
  else TRY(match_by_key(now, key, pairs, rebuilt));

  rebuilt.table = TRY(refit(*db_, table_, name, rebuilt.renamed, ""));
  if (key.empty()) {
    TRY(insert_new(
        now, fmt::format("n.{} in (select at from temp.vestige_unmatched where side = 1)", kRow),
        rebuilt));
    TRY(db_->script("drop table temp.vestige_unmatched"));
  } else {
    TRY(insert_new(now,
                   fmt::format("not exists (select 1 from main.{} as t where {})",
                               quote(copy_.name), same(key)),
                   rebuilt));
  }
  TRY(drop(copy_));
  return rebuilt;
}

}  // namespace vestige::sqlite
