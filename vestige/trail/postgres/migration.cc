// Capture follows DDL by itself; at the end of a migration the trail catches up. Test: test/postgres_capture_ddl_test.cc.
#include "vestige/trail/migration.h"

#include <algorithm>
#include <set>

#include "vestige/trail/catalog.h"
#include "vestige/trail/postgres/trail.h"
#include "vestige/trail/postgres/troubles.h"
#include "vestige/trail/track.h"

namespace vestige::postgres {
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

class PostgresMigration final : public Migration {
 public:
  explicit PostgresMigration(Database& db) : db_(db) {}

  Result<void> begin() override {
    before_ = TRY(standing_tables(db_));
    const auto wrong = TRY(troubles(db_));
    for (const Tracked& table : before_)
      if (const auto one = wrong.find(table.id); one != wrong.end())
        return hinted(fail(Fault::conflict, "run ddl: {} is out of order already: {}", table.name,
                           one->second),
                      "vestige doctor --fix first");
    const std::vector<std::string> names = TRY(trackable_tables(db_));
    known_.insert(names.begin(), names.end());
    return {};
  }

  Result<void> run(std::string_view statement) override {
    const Fence fence(db_);
    TRY(db_.run(statement));
    return {};
  }

  Result<std::vector<std::string>> finish() override {
    TRY(db_.run("select vestige.mend()"));
    std::vector<std::string> said;
    auto wrong = TRY(troubles(db_));
    for (const Tracked& table : TRY(standing_tables(db_))) {
      known_.insert(table.name);
      const std::string& problem = wrong[table.id];
      if (problem == "table missing") {
        TRY(vestige::untrack(db_, table.name));
        said.push_back(fmt::format("{}: dropped and untracked; its history stays", table.name));
        continue;
      }
      if (!problem.empty())
        return fail(Fault::internal, "run ddl: {} would be out of order: {}", table.name, problem);
      const auto was = std::find_if(before_.begin(), before_.end(),
                                    [&](const Tracked& one) { return one.id == table.id; });
      if (was != before_.end()) compare(*was, table, said);
    }
    for (const std::string& name : TRY(trackable_tables(db_)))
      if (!known_.contains(name)) said.push_back(fmt::format("{}: new, not tracked", name));
    return said;
  }

 private:
  Database& db_;
  std::vector<Tracked> before_;
  std::set<std::string> known_;
};

}  // namespace

Result<std::unique_ptr<Migration>> migration(Database& db) {
  return std::unique_ptr<Migration>(new PostgresMigration(db));
}

}  // namespace vestige::postgres
