#include "vestige/trail/migration.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "vestige/trail/sqlite/ddl_statement.h"
#include "vestige/trail/sqlite/fit.h"
#include "vestige/trail/sqlite/kept_rows.h"
#include "vestige/trail/sqlite/live_table.h"
#include "vestige/trail/sqlite/standing.h"
#include "vestige/trail/sqlite/trail.h"
#include "vestige/trail/track.h"

namespace vestige::sqlite {
namespace {

Result<std::set<std::string>> table_names(Database& db) {
  const auto names = TRY(recordable_tables(db));
  return std::set<std::string>(names.begin(), names.end());
}

Result<std::vector<std::string>> column_names(Database& db, const std::string& table) {
  std::vector<std::string> names;
  auto rows = TRY(db.query("select name from pragma_table_xinfo(?1) order by cid", {Text{table}}));
  while (TRY(rows->next()) == Step::row) names.push_back(rows->text(0));
  return names;
}

// Indexes and triggers of the application that go when a table is dropped.
Result<std::vector<std::string>> dependents(Database& db, const Tracked& table) {
  std::vector<std::string> names;
  auto rows =
      TRY(db.query("select type || ' ' || name from sqlite_schema where type in ('index', "
                   "'trigger') and sql is not null"
                   " and tbl_name = ?1 and name not glob ?2 order by 1",
                   {Text{table.name}, Text{fmt::format("vestige_{}_*", table.id)}}));
  while (TRY(rows->next()) == Step::row) names.push_back(rows->text(0));
  return names;
}

// How many rows refer to rows that are not there; nothing when the schema's foreign keys do not even fit
// their parents.
std::optional<std::int64_t> foreign_key_violations(Database& db) {
  const auto count = scalar_integer(db, "select count(*) from pragma_foreign_key_check");
  return count.has_value() ? std::optional<std::int64_t>(*count) : std::nullopt;
}

Result<void> check_foreign_keys(Database& db, std::optional<std::int64_t> before) {
  if (!before.has_value()) return {};
  const auto after = foreign_key_violations(db);
  if (!after.has_value())
    return hinted(
        fail(Fault::denied, "run ddl: foreign keys would not fit the tables that they refer to"),
        "what they refer to must be a primary key or unique");
  if (*after <= *before) return {};
  return hinted(
      fail(Fault::denied, "run ddl: {} rows would refer to rows that are not there",
           *after - *before),
      "pragma foreign_key_check lists them; copy the parent's rows, or delete the children first");
}

// A rebuild drops the parent of rows that stay: foreign keys rest meanwhile, and are checked at the end.
// The pragma works outside of transactions only, so this lives longer than the migration's.
class ForeignKeysOff {
 public:
  static Result<std::optional<ForeignKeysOff>> when(Database& db, bool needed) {
    if (!needed || TRY(scalar_integer(db, "pragma foreign_keys")) == 0)
      return std::optional<ForeignKeysOff>();
    TRY(db.script("pragma foreign_keys = off"));
    return std::optional<ForeignKeysOff>(ForeignKeysOff(db));
  }
  ForeignKeysOff(ForeignKeysOff&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  ForeignKeysOff& operator=(ForeignKeysOff&&) = delete;
  ~ForeignKeysOff() {
    if (db_ != nullptr) static_cast<void>(db_->script("pragma foreign_keys = on"));
  }

 private:
  explicit ForeignKeysOff(Database& db) : db_(&db) {}
  Database* db_;
};

class SqliteMigration final : public Migration {
 public:
  SqliteMigration(Database& db, bool drops, std::optional<ForeignKeysOff> foreign_keys)
      : db_(db), foreign_keys_(std::move(foreign_keys)), drops_(drops) {}

  Result<void> begin() override;
  Result<void> run(std::string_view sql) override;
  Result<std::vector<std::string>> finish() override;

 private:
  // A tracked table on its way.
  struct Traveller {
    Tracked table;
    std::string first_name;
    std::optional<KeptRows> kept = {};         // it was dropped
    std::vector<std::string> dependents = {};  // indexes and triggers that went with it
  };

  Traveller* find(const DdlStatement& statement);
  Result<void> refuse_trail(const DdlStatement& statement);
  Result<void> meet_successor(const DdlStatement& statement);
  Result<void> execute(std::string_view sql);
  Result<void> alter(Traveller& traveller, std::string_view sql);
  Result<void> drop(Traveller& traveller, std::string_view sql);
  Result<void> fit(Traveller& traveller, const std::string& name,
                   const std::vector<Renamed>& renamed);
  void say_unexcluded(const Policy& before, const std::vector<Renamed>& renamed,
                      const Tracked& now);
  static std::string parked(const Traveller& traveller) {
    return fmt::format("dropped {}", traveller.table.id);
  }
  Result<void> rename_in_catalog(const Traveller& traveller, const std::string& name);
  Result<void> arrive(Traveller& traveller);
  Result<void> rebuilt(Traveller& traveller, const std::string& name);
  void say(std::string line) { done_.push_back(std::move(line)); }

  Database& db_;
  std::optional<ForeignKeysOff> foreign_keys_;
  bool drops_;
  std::optional<std::int64_t> violations_;  // before
  std::vector<Traveller> travellers_;
  std::set<std::string> tables_;  // those that stood at the beginning
  std::vector<std::string> done_;
};

Result<void> SqliteMigration::begin() {
  if (drops_) violations_ = foreign_key_violations(db_);
  tables_ = TRY(table_names(db_));
  for (Tracked& table : TRY(tracked_tables(db_))) {
    if (table.untracked_at.has_value()) continue;
    const std::string trouble = TRY(standing(db_, table)).trouble();
    if (!trouble.empty())
      return hinted(
          fail(Fault::conflict, "run ddl: {} is out of order already: {}", table.name, trouble),
          "vestige doctor --fix first");
    const std::string name = table.name;
    travellers_.push_back({std::move(table), name});
  }
  return {};
}

SqliteMigration::Traveller* SqliteMigration::find(const DdlStatement& statement) {
  if (!statement.schema.empty() && statement.schema != "main") return nullptr;
  for (Traveller& traveller : travellers_)
    if (!traveller.kept.has_value() && same_name(traveller.table.name, statement.name))
      return &traveller;
  return nullptr;
}

Result<void> SqliteMigration::refuse_trail(const DdlStatement& statement) {
  if (statement.kind == DdlStatement::Kind::other || statement.name.size() < 8 ||
      !same_name(statement.name.substr(0, 8), "vestige_"))
    return {};
  return hinted(fail(Fault::denied, "run ddl: {} belongs to the trail", statement.name),
                "vestige untrack and vestige init --remove take away what vestige made");
}

Result<void> SqliteMigration::execute(std::string_view sql) {
  const Fence fence(db_);
  TRY(db_.run(sql));
  return {};
}

Result<void> SqliteMigration::run(std::string_view sql) {
  const DdlStatement statement = TRY(ddl_statement(sql));
  TRY(refuse_trail(statement));
  if (statement.kind == DdlStatement::Kind::alter_table) TRY(meet_successor(statement));
  Traveller* traveller = find(statement);
  if (traveller == nullptr) return execute(sql);
  if (statement.kind == DdlStatement::Kind::alter_table) return alter(*traveller, sql);
  if (statement.kind == DdlStatement::Kind::drop_table) return drop(*traveller, sql);
  return execute(sql);
}

// A table that was rebuilt is about to be altered: it goes on as the same tracked table from here, so
// that what the statement renames keeps its history.
Result<void> SqliteMigration::meet_successor(const DdlStatement& statement) {
  if (find(statement) != nullptr) return {};
  for (Traveller& traveller : travellers_)
    if (traveller.kept.has_value() && same_name(traveller.table.name, statement.name) &&
        TRY(table_names(db_)).contains(traveller.table.name))
      return arrive(traveller);
  return {};
}

// An excluded column that is gone may have come back under a name that nobody excludes.
void SqliteMigration::say_unexcluded(const Policy& before, const std::vector<Renamed>& renamed,
                                     const Tracked& now) {
  for (const std::string& column : before.exclude) {
    const auto carried = std::find_if(renamed.begin(), renamed.end(), [&](const Renamed& pair) {
      return same_name(pair.from, column);
    });
    const std::string& name = carried == renamed.end() ? column : carried->to;
    const auto& excluded = now.policy.exclude;
    if (std::find(excluded.begin(), excluded.end(), name) == excluded.end())
      say(fmt::format(
          "{}: excluded column {} is gone; new columns are recorded unless you exclude them",
          now.name, column));
  }
}

Result<void> SqliteMigration::fit(Traveller& traveller, const std::string& name,
                                  const std::vector<Renamed>& renamed) {
  const Tracked& table = traveller.table;
  auto fitted = refit(db_, table, name, renamed, "");
  if (!fitted.has_value())
    return hinted(
        fail(fitted.error().fault, "run ddl: track {} as it is now: {}", name,
             fitted.error().message),
        fmt::format("its policy may name what is gone: vestige track {} with another one first",
                    traveller.table.name));
  say_unexcluded(table.policy, renamed, *fitted);
  traveller.table = std::move(*fitted);
  return {};
}

// One ALTER TABLE does one thing; before and after tell which.
Result<void> SqliteMigration::alter(Traveller& traveller, std::string_view sql) {
  const std::string was = traveller.table.name;
  const auto names = TRY(table_names(db_));
  const auto before = TRY(column_names(db_, was));
  TRY(drop_triggers(db_, traveller.table));
  TRY(execute(sql));
  std::string name = was;
  for (const std::string& table : TRY(table_names(db_)))
    if (!names.contains(table)) name = table;
  const auto after = TRY(column_names(db_, name));
  std::vector<Renamed> renamed;
  if (before.size() == after.size())
    for (std::size_t i = 0; i < before.size(); ++i)
      if (before[i] != after[i]) renamed.push_back({before[i], after[i]});
  TRY(fit(traveller, name, renamed));
  if (name != was) say(fmt::format("{}: renamed to {}", was, name));
  for (const Renamed& pair : renamed)
    say(fmt::format("{}: column {} renamed to {}", name, pair.from, pair.to));
  const auto report = [&](const auto& these, const auto& others, const char* what) {
    for (const std::string& column : these)
      if (before.size() != after.size() &&
          std::find(others.begin(), others.end(), column) == others.end())
        say(fmt::format("{}: column {} {}", name, column, what));
  };
  report(after, before, "added");
  report(before, after, "dropped, its history stays");
  return {};
}

Result<void> SqliteMigration::drop(Traveller& traveller, std::string_view sql) {
  const std::string name = traveller.table.name;
  traveller.dependents = TRY(dependents(db_, traveller.table));
  auto kept = TRY(KeptRows::keep(db_, traveller.table));
  TRY(execute(sql));
  if (TRY(table_names(db_)).contains(name))
    return kept.discard();  // a TEMP table of that name went
  traveller.kept = std::move(kept);
  // Its name is free for another tracked table now.
  return rename_in_catalog(traveller, parked(traveller));
}

Result<void> SqliteMigration::rename_in_catalog(const Traveller& traveller,
                                                const std::string& name) {
  TRY(db_.run("update vestige_table set name = ?2 where id = ?1",
              {traveller.table.id, Text{name}}));
  return {};
}

Result<void> SqliteMigration::rebuilt(Traveller& traveller, const std::string& name) {
  auto outcome = traveller.kept->rebuilt(name);
  if (!outcome.has_value())
    return hinted(fail(outcome.error().fault, "run ddl: go on with the rebuilt {}: {}", name,
                       outcome.error().message),
                  "its policy may name what is gone, or the context may lack what it requires");
  for (const Renamed& pair : outcome->renamed)
    say(fmt::format("{}: column {} renamed to {}", name, pair.from, pair.to));
  say(fmt::format(
      "{}: rebuilt, goes on as the same tracked table; altered by the copy: {} updated, {} deleted,"
      " {} inserted",
      name, outcome->updated, outcome->deleted, outcome->inserted));
  say_unexcluded(traveller.table.policy, outcome->renamed, outcome->table);
  traveller.table = std::move(outcome->table);
  const auto standing = TRY(dependents(db_, traveller.table));
  for (const std::string& dependent : traveller.dependents)
    if (std::find(standing.begin(), standing.end(), dependent) == standing.end())
      say(fmt::format("{}: {} went with the old table and was not made again", name, dependent));
  return {};
}

Result<void> SqliteMigration::arrive(Traveller& traveller) {
  const std::string was = traveller.table.name;
  if (!traveller.kept.has_value()) {
    if (TRY(standing(db_, traveller.table)).trouble().empty()) return {};
    TRY(fit(traveller, was, {}));
    say(fmt::format("{}: capture fitted to its new constraints", was));
    return {};
  }
  // The successor has the name that the table had last, or the one that it began with.
  const auto names = TRY(table_names(db_));
  for (const std::string& name : {was, traveller.first_name}) {
    const bool taken =
        std::any_of(travellers_.begin(), travellers_.end(), [&](const Traveller& other) {
          return !other.kept.has_value() && other.table.name == name;
        });
    if (names.contains(name) && !taken) {
      TRY(rebuilt(traveller, name));
      traveller.kept.reset();
      return {};
    }
  }
  const std::int64_t rows = TRY(traveller.kept->deleted());
  TRY(untrack(db_, parked(traveller)));
  TRY(rename_in_catalog(traveller, was));
  say(fmt::format("{}: dropped and untracked, {} rows recorded as deleted; its history stays", was,
                  rows));
  return {};
}

Result<std::vector<std::string>> SqliteMigration::finish() {
  for (Traveller& traveller : travellers_) TRY(arrive(traveller));
  std::set<std::string> own;
  for (const Traveller& traveller : travellers_) own.insert(traveller.table.name);
  for (const std::string& name : TRY(table_names(db_)))
    if (!tables_.contains(name) && !own.contains(name))
      say(fmt::format("{}: new, not tracked", name));
  TRY(check_foreign_keys(db_, violations_));
  return std::move(done_);
}

}  // namespace

Result<std::unique_ptr<Migration>> migration(Database& db, std::string_view script) {
  const bool drops = drops_tables(script);
  auto foreign_keys = TRY(ForeignKeysOff::when(db, drops));
  return std::unique_ptr<Migration>(new SqliteMigration(db, drops, std::move(foreign_keys)));
}

}  // namespace vestige::sqlite
