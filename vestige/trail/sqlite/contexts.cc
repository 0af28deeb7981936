// A context is a row, and another row says which one is in force; it goes with the transaction.
#include "vestige/trail/contexts.h"

#include "vestige/base/time.h"
#include "vestige/trail/sqlite/trail.h"

namespace vestige::sqlite {
namespace {

// Writes a context row; its id.
Result<std::int64_t> write_context(Database& db, const Context& context) {
  std::string columns = "at";
  std::string places = "?1";
  Params values = {clock_now() / 1000};
  Row extra;
  for (const auto& [field, value] : context.fields()) {
    if (!is_context_field(field)) {
      extra.push_back({field, Text{value}});
      continue;
    }
    values.emplace_back(Text{value});
    columns += ", " + field;
    places += fmt::format(", ?{}", values.size());
  }
  if (!extra.empty()) {
    values.emplace_back(Text{to_json(extra)});
    columns += ", extra";
    places += fmt::format(", ?{}", values.size());
  }
  TRY(db.run(fmt::format("insert into vestige_context ({}) values ({})", columns, places), values));
  return scalar_integer(db, "select max(id) from vestige_context");
}

class SqliteContexts final : public Contexts {
 public:
  explicit SqliteContexts(Database& db) : db_(db) {}

  // The mark is the last change before.
  Result<std::int64_t> begin(const Context& context) override {
    const std::int64_t before = TRY(scalar_integer(db_, "select max(id) from vestige_change"));
    const std::int64_t id = TRY(write_context(db_, context));
    // Never expires: it is cleared or rolled back with this transaction.
    TRY(db_.run("delete from vestige_current"));
    TRY(
        db_.run("insert into vestige_current (only_row, context, scope, expires, seq)"
                " values (1, ?1, ?1, 9223372036854775807, 0)",
                {id}));
    return before;
  }

  Result<void> change(const Context& context) override {
    const std::int64_t id = TRY(write_context(db_, context));
    TRY(db_.run("update vestige_current set context = ?1", {id}));
    return {};
  }

  Result<ContextScope::Written> written(std::int64_t mark) override {
    ContextScope::Written written;
    written.changes = TRY(scalar_integer(db_, "select max(id) from vestige_change")) - mark;
    if (written.changes > 0) written.tx = mark + 1;
    return written;
  }

  Result<std::optional<std::string>> user() override { return std::optional<std::string>(); }

  Result<void> clear() override {
    TRY(db_.run("delete from vestige_current"));
    return {};
  }

 private:
  Database& db_;
};

}  // namespace

std::unique_ptr<Contexts> contexts(Database& db) { return std::make_unique<SqliteContexts>(db); }

}  // namespace vestige::sqlite
