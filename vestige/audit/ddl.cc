#include "vestige/audit/ddl.h"

#include <optional>
#include <utility>

#include "vestige/audit/ddl_statement.h"
#include "vestige/audit/migration.h"
#include "vestige/audit/postgres_ddl.h"
#include "vestige/trail/context.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

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

}  // namespace

Result<std::vector<std::string>> ddl(Database& db, std::string_view sql, const Context& context) {
  TRY(require_trail(db));
  if (db.engine() == Engine::postgres) return ddl_on_postgres(db, sql, context);
  const bool drops = drops_tables(sql);
  const auto foreign_keys = TRY(ForeignKeysOff::when(db, drops));
  auto scope = TRY(ContextScope::begin(db, context));
  const auto violations = drops ? foreign_key_violations(db) : std::nullopt;
  Migration migration(db);
  TRY(migration.begin());
  bool ran = false;
  Bracket bracket;
  while (true) {
    std::string_view rest;
    const std::string_view statement = TRY(db.first_statement(sql, rest));
    if (statement.empty()) break;
    if (!TRY(bracket.takes(statement))) TRY(migration.run(statement));
    ran = true;
    sql = rest;
  }
  TRY(bracket.closed());
  if (!ran)
    return hinted(fail(Fault::invalid, "run ddl: nothing to run"),
                  "give SQL, -f FILE, or SQL on standard input");
  TRY(migration.finish());
  TRY(check_foreign_keys(db, violations));
  TRY(scope.commit());
  return migration.take();
}

}  // namespace vestige
