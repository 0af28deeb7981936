// A context is a setting that ends with the transaction.
#include "vestige/trail/contexts.h"

#include "vestige/trail/postgres/trail.h"

namespace vestige::postgres {
namespace {

class PostgresContexts final : public Contexts {
 public:
  explicit PostgresContexts(Database& db) : db_(db) {}

  Result<std::int64_t> begin(const Context& context) override {
    TRY(change(context));
    return 0;
  }

  Result<void> change(const Context& context) override {
    TRY(db_.run("select vestige.set_context(?1::jsonb)", {Text{to_json(context)}}));
    return {};
  }

  Result<ContextScope::Written> written(std::int64_t) override {
    auto rows =
        TRY(db_.query("select x.tx, (select count(*) from vestige.change c where c.id >= x.tx and"
                      " c.xid = pg_catalog.pg_current_xact_id_if_assigned()) from vestige.context x"
                      " where x.xid = pg_catalog.pg_current_xact_id_if_assigned()"
                      " order by x.id desc limit 1"));
    ContextScope::Written written;
    if (TRY(rows->next()) == Step::end) return written;
    written.changes = rows->integer(1);
    if (written.changes > 0) written.tx = rows->integer(0);
    return written;
  }

  Result<std::optional<std::string>> user() override {
    const Value name = TRY(scalar(db_, "select session_user::text"));
    return std::optional<std::string>(std::get<Text>(name).bytes);
  }

  Result<void> clear() override { return {}; }

 private:
  Database& db_;
};

}  // namespace

std::unique_ptr<Contexts> contexts(Database& db) { return std::make_unique<PostgresContexts>(db); }

}  // namespace vestige::postgres
