#include "vestige/trail/sqlite/derived.h"

#include <algorithm>
#include <set>

#include "vestige/base/letters.h"
#include "vestige/trail/sqlite/sql_text.h"

namespace vestige::sqlite {
namespace {

bool is(const SqlToken& token, std::string_view word) {
  return token.kind == SqlToken::Kind::word && lower(std::string(token.text)) == word;
}

bool is_any(const SqlToken& token, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](auto word) { return is(token, word); });
}

// A trigger's statements, and the table that each writes; empty: none.
struct Statement {
  std::string sql;
  std::string table;
};
struct Parts {
  std::string head;  // from behind its name through BEGIN, its table in schema main
  std::vector<Statement> body;
};

std::string written_table(const std::vector<SqlToken>& tokens, std::size_t first,
                          std::size_t last) {
  if (is(tokens[first], "update")) {
    std::size_t i = first + 1;
    if (i < last && is(tokens[i], "or")) i += 2;
    return i < last ? bare_name(tokens[i].text) : "";
  }
  if (!is_any(tokens[first], {"insert", "replace", "delete"})) return "";
  for (std::size_t i = first + 1; i + 1 < last; ++i)
    if (is_any(tokens[i], {"into", "from"})) return bare_name(tokens[i + 1].text);
  return "";
}

// CREATE TRIGGER name … BEGIN statement; … END, as sqlite_schema has it.
Parts parts_of(const std::string& sql) {
  const auto tokens = sql_tokens(sql);
  Parts parts;
  std::size_t begin = 3;
  std::size_t on = 0;
  for (; begin + 1 < tokens.size(); ++begin) {
    if (on == 0 && is(tokens[begin], "on")) on = begin;
    if (on != 0 && is(tokens[begin], "begin") &&
        is_any(tokens[begin + 1], {"insert", "replace", "update", "delete", "select"}))
      break;
  }
  if (on == 0 || begin + 1 >= tokens.size()) return parts;
  const std::size_t name_end = tokens[2].at + tokens[2].text.size();
  const std::size_t table = tokens[on + 1].at;
  const std::size_t end = tokens[begin].at + tokens[begin].text.size();
  parts.head = sql.substr(name_end, table - name_end) + "main." + sql.substr(table, end - table);
  std::size_t first = begin + 1;
  for (std::size_t i = first; i < tokens.size(); ++i) {
    if (tokens[i].text != ";" || tokens[i].kind != SqlToken::Kind::sign) continue;
    const std::size_t at = tokens[first].at;
    parts.body.push_back(
        {sql.substr(at, tokens[i].at - at), lower(written_table(tokens, first, i))});
    first = i + 1;
  }
  return parts;
}

Result<std::set<std::string>> virtual_tables(Database& db) {
  std::set<std::string> names;
  auto rows = TRY(
      db.query("select name from pragma_table_list where schema = 'main' and type = 'virtual'"));
  while (TRY(rows->next()) == Step::row) names.insert(lower(rows->text(0)));
  return names;
}

}  // namespace

Result<Derived> derived(Database& db, const std::string& table,
                        const std::vector<std::string>& tracked) {
  Derived out;
  const auto indexes = TRY(virtual_tables(db));
  std::set<std::string> undone;
  for (const std::string& name : tracked) undone.insert(lower(name));
  std::set<std::string> kept;
  std::set<std::string> left;
  std::set<std::string> unusable;
  std::vector<std::pair<std::string, std::string>> triggers;
  auto rows =
      TRY(db.query("select name, sql from sqlite_schema where type = 'trigger' and name not like"
                   " 'vestige~_%' escape '~' and tbl_name = ?1 collate nocase order by rowid",
                   {Text{table}}));
  while (TRY(rows->next()) == Step::row) triggers.emplace_back(rows->text(0), rows->text(1));
  rows.reset();
  for (const auto& [name, sql] : triggers) {
    const Parts parts = parts_of(sql);
    std::string body;
    for (const Statement& statement : parts.body) {
      if (statement.table.empty()) continue;
      if (!indexes.contains(statement.table)) {
        if (!undone.contains(statement.table)) left.insert(statement.table);
        continue;
      }
      const auto usable =
          db.query(fmt::format("select * from main.{} limit 0", db.quote_name(statement.table)));
      if (!usable.has_value()) {
        if (unusable.insert(statement.table).second)
          out.notes.push_back(
              fmt::format("{}: {} is not kept, it is to be made anew from the rows: {}", table,
                          statement.table, usable.error().message));
        continue;
      }
      kept.insert(statement.table);
      body += " " + statement.sql + ";";
    }
    if (body.empty()) continue;
    const std::string copy = "vestige_keep_" + name;
    out.kept.push_back({copy, fmt::format("create temp trigger {}{}{} end", db.quote_name(copy),
                                          parts.head, body)});
  }
  for (const std::string& name : kept)
    out.notes.push_back(fmt::format("{}: {} was kept with the rows, by its triggers", table, name));
  for (const std::string& name : left)
    out.notes.push_back(fmt::format(
        "{}: its triggers did not run: {}, which is not tracked, is left as it is", table, name));
  return out;
}

}  // namespace vestige::sqlite
