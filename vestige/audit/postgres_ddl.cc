#include "vestige/audit/postgres_ddl.h"

#include <algorithm>
#include <set>

#include "vestige/audit/ddl_statement.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/context.h"
#include "vestige/trail/postgres/troubles.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

Result<std::vector<Tracked>> standing_tables(Database& db) {
  std::vector<Tracked> tables = TRY(tracked_tables(db));
  std::erase_if(tables, [](const Tracked& table) { return table.untracked_at.has_value(); });
  return tables;
}

// What became of a table: of its name, and of its columns, which keep their ids.
void compare(const Tracked& before, const Tracked& after, std::vector<std::string>& said) {
  if (before.name != after.name)
    said.push_back(fmt::format("{}: renamed to {}", before.name, after.name));
  const auto find = [](const Tracked& table, std::int64_t id) -> const Column* {
    const auto found = std::find_if(table.shape.columns.begin(), table.shape.columns.end(),
                                    [id](const Column& column) { return column.id == id; });
    return found == table.shape.columns.end() ? nullptr : &*found;
  };
  for (const Column& column : before.shape.columns) {
    const Column* now = find(after, column.id);
    if (now == nullptr)
      said.push_back(
          fmt::format("{}: column {} dropped, its history stays", after.name, column.name));
    else if (now->name != column.name)
      said.push_back(
          fmt::format("{}: column {} renamed to {}", after.name, column.name, now->name));
  }
  for (const Column& column : after.shape.columns)
    if (find(before, column.id) == nullptr)
      said.push_back(fmt::format("{}: column {} added", after.name, column.name));
}

Result<void> run_statements(Database& db, std::string_view sql) {
  const Fence fence(db);
  Bracket bracket;
  bool ran = false;
  for (;;) {
    std::string_view rest;
    const std::string_view statement = TRY(db.first_statement(sql, rest));
    if (statement.empty()) break;
    if (!TRY(bracket.takes(statement))) TRY(db.run(statement));
    ran = true;
    sql = rest;
  }
  TRY(bracket.closed());
  if (ran) return {};
  return hinted(fail(Fault::invalid, "run ddl: nothing to run"),
                "give SQL, -f FILE, or SQL on standard input");
}

}  // namespace

Result<std::vector<std::string>> ddl_on_postgres(Database& db, std::string_view sql,
                                                 const Context& context) {
  auto scope = TRY(ContextScope::begin(db, context));
  const std::vector<Tracked> before = TRY(standing_tables(db));
  const auto wrong_before = TRY(postgres::troubles(db));
  for (const Tracked& table : before)
    if (const auto one = wrong_before.find(table.id); one != wrong_before.end())
      return hinted(
          fail(Fault::conflict, "run ddl: {} is out of order already: {}", table.name, one->second),
          "vestige doctor --fix first");
  const std::vector<std::string> first = TRY(trackable_tables(db));
  std::set<std::string> known(first.begin(), first.end());
  TRY(run_statements(db, sql));
  TRY(db.run("select vestige.mend()"));
  std::vector<std::string> said;
  auto wrong = TRY(postgres::troubles(db));
  for (const Tracked& table : TRY(standing_tables(db))) {
    known.insert(table.name);
    const auto was = std::find_if(before.begin(), before.end(),
                                  [&](const Tracked& one) { return one.id == table.id; });
    const std::string& problem = wrong[table.id];
    if (problem == "table missing") {
      TRY(untrack(db, table.name));
      said.push_back(fmt::format("{}: dropped and untracked; its history stays", table.name));
      continue;
    }
    if (!problem.empty())
      return fail(Fault::internal, "run ddl: {} would be out of order: {}", table.name, problem);
    if (was != before.end()) compare(*was, table, said);
  }
  for (const std::string& name : TRY(trackable_tables(db)))
    if (!known.contains(name)) said.push_back(fmt::format("{}: new, not tracked", name));
  TRY(scope.commit());
  return said;
}

}  // namespace vestige
