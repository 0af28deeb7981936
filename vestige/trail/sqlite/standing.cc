#include "vestige/trail/sqlite/standing.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "vestige/trail/sqlite/capture.h"
#include "vestige/trail/sqlite/live_table.h"
#include "vestige/trail/sqlite/sql_text.h"
#include "vestige/trail/track.h"

namespace vestige::sqlite {
namespace {

using Names = std::vector<std::string>;

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool same_word(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

// The capture triggers that stand, by name: the table they are on, and their SQL from the name on
// (SQLite writes the words before it anew).
struct Found {
  std::string table;
  std::string text;
};
using Triggers = std::map<std::string, Found>;

std::string from_name(const std::string& sql, const std::string& name) {
  const std::size_t at = sql.find(name);
  return at == std::string::npos ? sql : sql.substr(at);
}

Result<Triggers> standing_triggers(Database& db, const Tracked& table) {
  Triggers triggers;
  auto rows = TRY(db.query(
      "select name, tbl_name, sql from sqlite_schema where type = 'trigger' and name glob ?1",
      {Text{fmt::format("vestige_{}_*", table.id)}}));
  while (TRY(rows->next()) == Step::row)
    triggers[rows->text(0)] = {rows->text(1), from_name(rows->text(2), rows->text(0))};
  return triggers;
}

// SQLite carries triggers along when a table is renamed: where they are, the table is.
Result<void> find_table(Database& db, const Tracked& table, const Triggers& triggers,
                        Standing& standing) {
  const Names tables = TRY(recordable_tables(db));
  const bool stands = contains(tables, table.name);
  const std::string host = triggers.empty() ? table.name : triggers.begin()->second.table;
  if (host != table.name && contains(tables, host)) {
    standing.live = host;
    // A table that took the name is a stranger, unless it is another tracked table, renamed in turn.
    standing.replaced =
        stands && TRY(scalar_integer(db,
                                     "select count(*) from sqlite_schema where type = 'trigger' and"
                                     " tbl_name = ?1 and name glob 'vestige_[0-9]*_*'",
                                     {Text{table.name}})) == 0;
  } else if (stands) {
    standing.live = table.name;
  } else {
    const auto respelled = std::find_if(tables.begin(), tables.end(), [&](const std::string& name) {
      return same_word(name, table.name);
    });
    if (respelled != tables.end()) standing.live = *respelled;
  }
  return {};
}

// OLD."column"
bool is_column(const std::vector<SqlToken>& tokens, std::size_t place) {
  return tokens[place - 1].text == "." && same_word(tokens[place - 2].text, "old");
}

// A raw RENAME COLUMN makes SQLite rewrite the triggers. The stored DELETE trigger, held token by token
// against the one that the former names give, says which name became which: also where others have those names by now.
std::vector<Renamed> proven_renames(const std::string& former, const std::string& stored,
                                    const Names& recorded, const SqliteTable& live) {
  const auto before = sql_tokens(former);
  const auto after = sql_tokens(stored);
  if (before.size() != after.size()) return {};
  std::vector<Renamed> all;
  for (std::size_t i = 2; i < before.size(); ++i) {
    if (before[i].kind != SqlToken::Kind::quoted || !is_column(before, i) || !is_column(after, i))
      continue;
    const std::string from = bare_name(before[i].text);
    const std::string to = bare_name(after[i].text);
    if (!contains(recorded, from) || live.find(to) == nullptr) continue;
    const auto known = std::find_if(all.begin(), all.end(), [&](const Renamed& pair) {
      return pair.from == from || pair.to == to;
    });
    if (known == all.end()) all.push_back({from, to});
    else if (known->from != from || known->to != to) return {};
  }
  std::erase_if(all, [](const Renamed& pair) { return pair.from == pair.to; });
  return all;
}

void compare_columns(const Tracked& table, const SqliteTable& live, Standing& standing) {
  const Policy& policy = table.policy;
  Names recorded;
  for (const Column& column : table.shape.columns) {
    recorded.push_back(column.name);
    const bool stands =
        std::any_of(live.columns.begin(), live.columns.end(),
                    [&](const SqliteColumn& own) { return own.name == column.name; });
    if (!stands) standing.dropped.push_back(column.name);
  }
  for (const SqliteColumn& column : live.columns)
    if (!contains(recorded, column.name) && !contains(policy.exclude, column.name))
      standing.added.push_back(column.name);
  for (const auto& [column, of] : policy.encrypt)
    if (live.find(column) == nullptr) standing.lost.push_back(column);
  standing.subject_lost = !policy.subject.empty() && live.find(policy.subject) == nullptr;
  for (const auto* list : {&policy.exclude, &policy.redact})
    for (const std::string& column : *list)
      if (live.find(column) == nullptr) standing.lost.push_back(column);
}

bool is_taken(const std::vector<Renamed>& renamed, const std::string& name) {
  return std::any_of(renamed.begin(), renamed.end(),
                     [&](const Renamed& pair) { return pair.to == name; });
}

void take_renames(const Triggers& triggers, const std::vector<Trigger>& former,
                  const Tracked& table, const SqliteTable& live, Standing& standing) {
  Names recorded;
  for (const Column& column : table.shape.columns) recorded.push_back(column.name);
  for (const Trigger& trigger : former) {
    const auto stored = triggers.find(trigger.name);
    if (!trigger.name.ends_with("_delete") || stored == triggers.end()) continue;
    standing.renamed =
        proven_renames(from_name(trigger.sql, trigger.name), stored->second.text, recorded, live);
  }
  for (const Renamed& pair : standing.renamed) {
    std::erase(standing.dropped, pair.from);
    std::erase(standing.added, pair.to);
    std::erase(standing.lost, pair.from);
    // Another column took the name.
    if (live.find(pair.from) != nullptr && !is_taken(standing.renamed, pair.from))
      standing.added.push_back(pair.from);
  }
}

bool key_differs(const Tracked& table, const SqliteTable& live,
                 const std::vector<Renamed>& renamed) {
  if (!table.policy.key.empty()) return false;
  Names key;
  for (const Column& column : table.shape.key()) {
    key.push_back(name_now(renamed, column.name));
  }
  return key != live.primary_key();
}

}  // namespace

std::string Standing::trouble() const {
  if (live.empty()) return "table missing";
  Names parts;
  if (live != name) parts.push_back("renamed to " + live);
  if (!missing.empty()) parts.emplace_back("triggers missing");
  if (!altered.empty()) parts.emplace_back("triggers altered");
  if (!hiding.empty()) parts.emplace_back("changes hidden by a trigger");
  if (!columns_fit()) parts.emplace_back("columns changed");
  return fmt::format("{}", fmt::join(parts, ", "));
}

namespace {

// RAISE(IGNORE) in an AFTER trigger: the row stays written, and the triggers that are still to come are left out.
bool hides(std::string_view sql) {
  const auto tokens = sql_tokens(sql);
  const auto is = [&](std::size_t place, std::string_view word) {
    return place < tokens.size() && same_name(tokens[place].text, word);
  };
  std::size_t body = 0;
  while (body < tokens.size() && !is(body, "begin")) ++body;
  bool after = false;
  for (std::size_t i = 0; i < body; ++i) after = after || is(i, "after");
  for (std::size_t i = body; after && i < tokens.size(); ++i)
    if (is(i, "raise") && is(i + 1, "(") && is(i + 2, "ignore")) return true;
  return false;
}

// SQLite fires the newest trigger first, so these see a row before capture has recorded it.
Result<void> newer_triggers(Database& db, const Tracked& table, Standing& standing) {
  auto rows = TRY(db.query(
      "select name, sql from sqlite_schema as t where type = 'trigger' and tbl_name = ?1 collate "
      "nocase"
      " and name not like 'vestige~_%' escape '~' and rowid > (select min(rowid) from sqlite_schema"
      " where type = 'trigger' and name like 'vestige~_' || ?2 || '~_%' escape '~')"
      " order by rowid",
      {Text{standing.live}, Text{std::to_string(table.id)}}));
  while (TRY(rows->next()) == Step::row) {
    standing.newer.push_back(rows->text(0));
    if (hides(rows->text(1))) standing.hiding.push_back(rows->text(0));
  }
  return {};
}

}  // namespace

Result<Standing> standing(Database& db, const Tracked& table) {
  Standing standing;
  standing.name = table.name;
  const Triggers triggers = TRY(standing_triggers(db, table));
  TRY(find_table(db, table, triggers, standing));
  if (standing.live.empty()) return standing;
  const SqliteTable live = TRY(read_table(db, standing.live));
  Tracked as_it_is = table;
  as_it_is.name = live.name;
  compare_columns(table, live, standing);
  const auto expected = TRY(capture_triggers(db, live, as_it_is, false));
  take_renames(triggers, expected, table, live, standing);
  // An include list says what is recorded; anything else may come and go.
  if (!table.policy.include.empty()) standing.added.clear();
  standing.key_changed = key_differs(table, live, standing.renamed);
  const bool comparable = standing.columns_fit() && live.name == table.name;
  for (const Trigger& trigger : expected) {
    const auto stored = triggers.find(trigger.name);
    if (stored == triggers.end()) standing.missing.push_back(trigger.name);
    else if (comparable && stored->second.text != from_name(trigger.sql, trigger.name))
      standing.altered.push_back(trigger.name);
  }
  for (const auto& [name, found] : triggers) {
    const bool wanted =
        std::any_of(expected.begin(), expected.end(),
                    [&name = name](const Trigger& own) { return own.name == name; });
    if (comparable && !wanted) standing.altered.push_back(name);
  }
  TRY(newer_triggers(db, table, standing));
  return standing;
}

}  // namespace vestige::sqlite
