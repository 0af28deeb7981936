#include "vestige/trail/context.h"

#include "vestige/base/time.h"
#include "vestige/trail/install.h"
#include "vestige/trail/postgres/trail.h"

namespace vestige {
namespace {

// Writes a context row; its id.
Result<std::int64_t> write_context(Database& db, const Context& context) {
  std::string columns = "at";
  std::string places = "?1";
  Params values = {clock_now() / 1000};
  Row extra;
  for (const auto& [field, value] : context.fields()) {
    bool known = false;
    for (const std::string_view name : kContextFields) known = known || name == field;
    if (!known) {
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

}  // namespace

Result<ContextScope> ContextScope::begin(Database& db, const Context& context) {
  auto transaction = TRY(Transaction::begin(db));
  TRY(require_trail(db));
  if (db.engine() == Engine::postgres) {
    TRY(postgres::set_context(db, context));
    return ContextScope(db, std::move(transaction), 0);
  }
  const std::int64_t before = TRY(scalar_integer(db, "select max(id) from vestige_change"));
  const std::int64_t id = TRY(write_context(db, context));
  // Never expires: it is cleared or rolled back with this transaction.
  TRY(db.run("delete from vestige_current"));
  TRY(
      db.run("insert into vestige_current (only_row, context, scope, expires, seq)"
             " values (1, ?1, ?1, 9223372036854775807, 0)",
             {id}));
  return ContextScope(db, std::move(transaction), before);
}

Result<void> ContextScope::change(const Context& context) {
  if (db_->engine() == Engine::postgres) return postgres::set_context(*db_, context);
  const std::int64_t id = TRY(write_context(*db_, context));
  TRY(db_->run("update vestige_current set context = ?1", {id}));
  return {};
}

Result<ContextScope::Written> ContextScope::written() {
  if (db_->engine() == Engine::postgres) return postgres::written(*db_);
  Written written;
  written.changes = TRY(scalar_integer(*db_, "select max(id) from vestige_change")) - before_;
  if (written.changes > 0) written.tx = before_ + 1;
  return written;
}

Result<void> ContextScope::commit() {
  if (db_->engine() != Engine::postgres) TRY(db_->run("delete from vestige_current"));
  return transaction_.commit();
}

}  // namespace vestige
