#include "vestige/trail/sqlite/needs.h"

#include <algorithm>
#include <optional>

#include "vestige/db/unregistered.h"
#include "vestige/trail/sqlite/live_table.h"
#include "vestige/trail/sqlite/sql_text.h"

namespace vestige {
namespace {

// A collation of a table WITHOUT ROWID that is not registered here.
Result<std::string> unknown_order(Database& db) {
  std::vector<std::string> collations;
  auto rows = TRY(
      db.query("select distinct x.coll from pragma_table_list as t, pragma_index_list(t.name) as l,"
               " pragma_index_xinfo(l.name) as x where t.schema = 'main' and t.wr"));
  while (TRY(rows->next()) == Step::row) collations.push_back(rows->text(0));
  for (std::string& collation : collations) {
    const auto used = db.query("select '' = '' collate " + db.quote_name(collation));
    if (!used.has_value() && unregistered(used.error()).has_value()) return std::move(collation);
  }
  return std::string();
}

// SQLite: where the application's definitions name what only it registers. The trail's own triggers do so in its stead.
Result<std::optional<Error>> needed_by(Database& db, const Error& error,
                                       const Attempted& attempted) {
  auto missing = unregistered(error);
  if (!missing.has_value()) return std::optional<Error>();
  if (missing->name.empty()) missing->name = TRY(unknown_order(db));
  std::vector<std::string> meant;
  std::vector<std::string> others;
  auto rows = TRY(db.query(
      "select type, name, tbl_name, sql from sqlite_schema where sql is not null and name not like"
      " 'vestige~_%' escape '~' order by tbl_name, type <> 'table', name"));
  while (TRY(rows->next()) == Step::row) {
    const std::string sql = rows->text(3);
    const auto tokens = sql_tokens(sql);
    if (std::none_of(tokens.begin(), tokens.end(), [&](const SqlToken& token) {
          return same_name(bare_name(token.text), missing->name);
        }))
      continue;
    const std::string table = rows->text(2);
    const bool own = rows->text(0) == "table" || rows->text(0) == "view";
    const bool typed = std::any_of(
        attempted.words.begin(), attempted.words.end(),
        [&](const std::string& word) { return same_name(unquoted_table(word), table); });
    (typed ? meant : others)
        .push_back(own ? table : fmt::format("{} ({} {})", table, rows->text(0), rows->text(1)));
  }
  if (meant.empty()) meant = std::move(others);
  if (meant.empty()) return std::optional<Error>();
  return std::optional(
      Error{Fault::denied,
            fmt::format("use {}: only the application registers the {} {}", fmt::join(meant, ", "),
                        missing->kind, missing->name),
            "a program that registers it and has the library can (docs/sqlite.md, \"What only the"
            " application registers\")"});
}

}  // namespace

Error explained_by_needs(Database& db, const Error& error, const Attempted& attempted) {
  const auto found = needed_by(db, error, attempted);
  return found.has_value() && found->has_value() ? **found : error;
}

}  // namespace vestige
