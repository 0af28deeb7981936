// Rows that stand in the way of one that is written, and that a REPLACE may remove without firing the DELETE trigger: BEFORE
// triggers keep them. One search for each unique constraint, by its index.

#include <algorithm>

#include "vestige/trail/sqlite/capture_writer.h"
#include "vestige/trail/sqlite/sql_text.h"

namespace vestige::capture {
namespace {

// The text has the name as a word.
bool names(std::string_view sql, std::string_view name) {
  const auto tokens = sql_tokens(sql);
  return std::any_of(tokens.begin(), tokens.end(),
                     [&](const SqlToken& token) { return same_name(bare_name(token.text), name); });
}

// What an index says: its condition and its terms.
std::string text_of(const UniqueIndex& index) {
  std::string text = index.where;
  for (const UniqueIndex::Term& term : index.terms) text += " " + term.sql;
  return text;
}

// "a as p0, b as p1, …"
std::string named(const std::vector<std::string>& values, const std::string& prefix) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i)
    out += fmt::format("{}{} as {}{}", i == 0 ? "" : ", ", values[i], prefix, i);
  return out;
}

std::vector<std::string> numbered(std::string_view side, const std::string& prefix,
                                  std::size_t count) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(fmt::format("{}.{}{}", side, prefix, i));
  return out;
}

// All rows of several SELECTs, each once. SQLite may take no more than three of them at once.
std::string united(std::vector<std::string> selects) {
  constexpr std::size_t kMost = 3;
  while (selects.size() > 1) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < selects.size(); i += kMost) {
      std::vector<std::string> some(
          selects.begin() + static_cast<std::ptrdiff_t>(i),
          selects.begin() + static_cast<std::ptrdiff_t>(std::min(selects.size(), i + kMost)));
      out.push_back(some.size() == 1 ? some[0] : "select * from (" + join(some, " union ") + ")");
    }
    selects = std::move(out);
  }
  return selects[0];
}

}  // namespace

// A column of NEW; `fallback`: with the default that REPLACE will put for NULL where NULL may not be, and
// with the INTEGER PRIMARY KEY that SQLite will choose, which is -1 in a BEFORE trigger.
std::string Writer::new_value(const SqliteColumn& column, bool fallback) const {
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
    const std::string text = text_of(index);
    for (const std::string_view row_id : {"rowid", "_rowid_", "oid"})
      if (live_.find(std::string(row_id)) == nullptr && names(text, row_id)) return "";
    for (const SqliteColumn& column : live_.columns) {
      if (!names(text, column.name)) continue;
      generated = generated || column.generated;
      if (!column.generated) add(quote(column.name));
    }
  }
  for (const SqliteColumn& column : live_.columns)
    if (generated && column.named && !column.generated) add(quote(column.name));
  return columns.empty() ? "" : " of " + join(columns, ", ");
}

// A condition that never holds; none where there is no generated column. SQLite computes a generated column of NEW, in a
// trigger before an UPDATE, from the columns that the trigger names, and takes NULL for the others: those which it may be made
// of are named.
std::string Writer::made_of() const {
  std::vector<std::string> columns;
  bool generated = false;
  for (const SqliteColumn& column : live_.columns) {
    generated = generated || column.generated;
    if (column.named && !column.generated) columns.push_back(at("NEW", column.name));
  }
  if (!generated || columns.empty()) return "";
  const std::string row = "(" + join(columns, ", ") + ")";
  return row + " is not " + row;
}

// A prefix for names of ours, that no column's name begins with.
std::string Writer::prefix(std::string_view letter) const {
  std::string out(letter);
  while (std::any_of(live_.columns.begin(), live_.columns.end(), [&](const SqliteColumn& column) {
    return same_name(column.name.substr(0, out.size()), out);
  }))
    out += '_';
  return out;
}

// One row with those columns of NEW which an index's terms and condition name. No others: SQLite does not let a
// column go that a trigger names.
std::string Writer::new_row(const UniqueIndex& index, bool fallback) const {
  const std::string text = text_of(index);
  std::vector<std::string> columns;
  for (const SqliteColumn& column : live_.columns)
    if (names(text, column.name))
      columns.push_back(fmt::format("{} as {}", new_value(column, fallback), quote(column.name)));
  return columns.empty() ? "select null" : "select " + join(columns, ", ");
}

// A SELECT of the places of rows t.
std::string Writer::searched(const std::string& from, const std::string& where) const {
  return fmt::format("select {} from {}{}{}", named(place("t"), prefix("r")), from,
                     where.empty() ? "" : " where ", where);
}

// `nulls`: where one of these is, NEW has its NULL still, for which SQLite will put a default or a new key before it looks for
// conflicts: what is in the way then.
Writer::Conflict Writer::conflict(const UniqueIndex& index,
                                  const std::vector<std::string>& nulls) const {
  const std::string table = quote(live_.name) + " as t";
  const bool fallback = !nulls.empty();
  // What a generated column will be with the default in it is not to be seen: any row may be in the way.
  const bool unseen =
      fallback && std::any_of(live_.columns.begin(), live_.columns.end(),
                              [](const SqliteColumn& own) { return own.generated; });
  const bool plain =
      !fallback && index.where.empty() &&
      std::none_of(index.terms.begin(), index.terms.end(),
                   [](const UniqueIndex::Term& term) { return term.column.empty(); });
  const std::string values = prefix("n");
  std::vector<std::string> own;
  std::vector<std::string> made;
  std::vector<std::string> other;
  for (const UniqueIndex::Term& term : index.terms) {
    const SqliteColumn* column = live_.find(term.column);
    if (unseen && (column == nullptr || column->generated)) continue;
    const bool known = column != nullptr && !live_.collated && term.collation == "BINARY";
    other.push_back(plain ? new_value(*column, false) : fmt::format("n.{}{}", values, made.size()));
    if (!known) other.back() += " collate " + quote(term.collation);
    own.push_back(column == nullptr ? term.sql : "t." + term.sql);
    made.push_back(term.sql);
  }
  const std::string equal = own.empty() ? "" : fmt::format("{} = {}", row(own), row(other));
  if (plain) return {searched(table, equal), equal};
  std::vector<std::string> asked;
  if (fallback) asked.push_back(one_of(nulls));
  if (!index.where.empty() && !unseen) asked.push_back("(" + index.where + ")");
  std::string from = made.empty() ? "select 1" : "select " + named(made, values);
  from += fmt::format(" from ({})", new_row(index, fallback));
  if (!asked.empty()) from += " where " + all_of(asked);
  return {searched(fmt::format("({}) as n cross join {}{}{}", from, table,
                               equal.empty() ? "" : " on ", equal),
                   index.where.empty() ? "" : "(" + index.where + ")"),
          ""};
}

// For each unique constraint.
std::vector<Writer::Conflict> Writer::conflicts(bool update) const {
  std::vector<Conflict> out;
  const std::string table = quote(live_.name) + " as t";
  if (!live_.without_row_id && (live_.row_id_is_key || !update)) {
    const std::string equal = fmt::format("t.{0} = NEW.{0}", live_.row_id);
    out.push_back({searched(table, equal), equal});
  }
  std::vector<std::string> nulls;
  if (live_.row_id_is_key && !update) nulls.push_back(fmt::format("NEW.{} = -1", live_.row_id));
  for (const SqliteColumn& column : live_.columns)
    if (!column.fallback.empty()) nulls.push_back("NEW." + quote(column.name) + " is null");
  for (const UniqueIndex& index : live_.unique) {
    out.push_back(conflict(index, {}));
    const bool affected =
        std::any_of(index.terms.begin(), index.terms.end(), [&](const UniqueIndex::Term& term) {
          const SqliteColumn* column = live_.find(term.column);
          return column == nullptr || column->generated || !column->fallback.empty();
        });
    if (!nulls.empty() && (affected || !index.where.empty())) out.push_back(conflict(index, nulls));
  }
  if (!update) return out;
  for (Conflict& conflict : out) conflict = of_another(conflict);
  return out;
}

// Rows other than the one that is changed.
Writer::Conflict Writer::of_another(const Conflict& conflict) const {
  const std::string was = row(place("OLD"));
  if (!conflict.condition.empty()) {
    const std::string other =
        fmt::format("({} is not {} and {})", row(place("t")), was, conflict.condition);
    return {searched(quote(live_.name) + " as t", other), other};
  }
  return {fmt::format("select * from ({}) as x where {} is not {}", conflict.search,
                      row(numbered("x", prefix("r"), place("t").size())), was),
          ""};
}

// Whether there is any, each looked for when the one before found none. A search in FROM leaves more depth to what is the
// application's in it.
std::vector<std::string> Writer::in_the_way(const std::vector<Conflict>& conflicts) const {
  const bool plain = std::none_of(conflicts.begin(), conflicts.end(), [](const Conflict& conflict) {
    return conflict.condition.empty();
  });
  std::vector<std::string> out;
  for (const Conflict& conflict : conflicts)
    out.push_back(plain ? fmt::format("exists (select 1 from {} as t where {})", quote(live_.name),
                                      conflict.condition)
                        : fmt::format("exists (select 1 from ({}))", conflict.search));
  return out;
}

// Keeps the rows in the way in vestige_replaced, where the AFTER trigger finds out which are gone. What an
// OR IGNORE or an upsert left there is cleared by the next.
std::vector<std::string> Writer::keep_replaced(const std::vector<Conflict>& conflicts,
                                               bool update) const {
  constexpr std::size_t kAbreast = 16;
  // By their conditions, or by their places: SQLite finds rows by several indexes where plain conditions stand side by side.
  std::vector<std::string> conditions;
  std::vector<std::string> searches;
  for (const Conflict& conflict : conflicts) {
    if (!conflict.condition.empty()) conditions.push_back(conflict.condition);
    searches.push_back(conflict.search);
  }
  const bool plain = conditions.size() == conflicts.size() && conditions.size() <= kAbreast;
  const auto where = place("t");
  const std::string from =
      plain ? fmt::format(" from {} as t where {}", quote(live_.name), any_of(conditions))
            : fmt::format(" from ({}) as x join {} as t on {} = {}", united(searches),
                          quote(live_.name), row(where),
                          row(numbered("x", prefix("r"), where.size())));
  const std::string keeper = update ? identity("OLD") : "null";
  // A newer trigger of the application writes the row again before ours has settled.
  std::vector<std::string> out;
  settle(gone(update ? "OLD" : "", ""), out);
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
    Insertion row_kept("vestige_keep");
    row_kept.add("tbl", std::to_string(table_.id));
    if (update) row_kept.add("keeper", keeper);
    if (part != 0) row_kept.add("part", std::to_string(part));
    row_kept.add("identity", own);
    if (part == 0) {
      row_kept.add("shape", std::to_string(shape_.id));
      if (shape_.row_ids) row_kept.add("row_id", row_id("t"));
      if (!key_.empty()) row_kept.add("key", key("t"));
    }
    if (count() > part * kSlots + kSlots / 2) row_kept.add("wide", "1");
    for (std::size_t i = part * kSlots; i < std::min(count(), (part + 1) * kSlots); ++i) {
      const Column& column = shape_.columns[i];
      row_kept.add(fmt::format("v{}", i - part * kSlots),
                   plain && !column.redacted ? bare(column.name) : kept("t", column));
    }
    out.push_back(row_kept.select(from));
  }
  return out;
}

Trigger Writer::before(std::string_view what, std::string_view event, bool update) const {
  const auto found = conflicts(update);
  if (found.empty()) return {};
  std::vector<std::string> when = in_the_way(found);
  std::string unless;
  if (update && shape_.row_ids) unless += fmt::format(" when {} then false", moves());
  if (const std::string made = made_of(); update && !made.empty())
    unless += fmt::format(" when {} then false", made);
  return trigger(what, event,
                 unless.empty() ? one_of(when)
                                : fmt::format("case{} when {} then true else false end", unless,
                                              join(when, " then true when ")),
                 keep_replaced(found, update));
}

}  // namespace vestige::capture
