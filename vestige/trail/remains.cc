#include "vestige/trail/remains.h"

#include <algorithm>
#include <regex>

#include "vestige/db/postgres_sql.h"
#include "vestige/db/sql.h"
#include "vestige/trail/postgres/trail.h"

namespace vestige {
namespace {

// The tables that an installing script makes.
std::vector<std::string> made_by(std::string_view script, const char* table) {
  const std::regex pattern(table, std::regex::multiline);
  std::vector<std::string> names;
  using Matches = std::regex_iterator<std::string_view::const_iterator>;
  for (Matches one(script.begin(), script.end(), pattern); one != Matches(); ++one)
    names.push_back((*one)[1].str());
  return names;
}

// Those that the evidence adds are made by every init.
const std::vector<std::string>& tables_of_sqlite() {
  static const auto names = made_by(sql::install, "^create table (vestige_\\w+)");
  return names;
}

const std::vector<std::string>& tables_of_postgres() {
  static const auto names =
      made_by(sql::postgres::install, "^create table if not exists vestige\\.(\\w+)");
  return names;
}

constexpr std::string_view kOurs = "name like 'vestige\\_%' escape '\\'";

}  // namespace

Result<Remains> remains(Database& db) {
  const bool postgres = db.engine() == Engine::postgres;
  Remains out;
  std::vector<std::string> standing;
  auto rows = TRY(db.query(
      postgres ? "select c.relname, c.relkind in ('r', 'p') from pg_catalog.pg_class c"
                 " where c.relnamespace = pg_catalog.to_regnamespace('vestige')"
                 " union all select p.proname, false from pg_catalog.pg_proc p"
                 " where p.pronamespace = pg_catalog.to_regnamespace('vestige')"
               : fmt::format("select name, type = 'table' from sqlite_schema where {}", kOurs)));
  while (TRY(rows->next()) == Step::row) {
    out.any = true;
    out.ours = out.ours || !postgres || rows->text(0) == "shown_name";
    if (rows->integer(1) != 0) standing.push_back(rows->text(0));
  }
  out.tables = !standing.empty();
  for (const std::string& name : postgres ? tables_of_postgres() : tables_of_sqlite())
    if (std::find(standing.begin(), standing.end(), name) == standing.end())
      out.missing.push_back((postgres ? "vestige." : "") + name);
  return out;
}

Result<void> remove_remains(Database& db) {
  if (db.engine() == Engine::postgres) return postgres::remove(db);
  std::vector<std::pair<std::string, std::string>> objects;
  auto rows =
      TRY(db.query(fmt::format("select type, name from sqlite_schema where {} and type <> 'index'"
                               " order by type = 'table', type = 'view', rowid desc",
                               kOurs)));
  while (TRY(rows->next()) == Step::row) objects.emplace_back(rows->text(0), rows->text(1));
  for (const auto& [type, name] : objects)
    TRY(db.script(fmt::format("drop {} main.{}", type, db.quote_name(name))));
  return {};
}

}  // namespace vestige
