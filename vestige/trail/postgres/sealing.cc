#include "vestige/trail/sealing.h"

#include "vestige/trail/postgres/sealables.h"
#include "vestige/trail/postgres/trail.h"
#include "vestige/trail/postgres/who.h"

namespace vestige::postgres {
namespace {

class PostgresSealing final : public Sealing {
 public:
  explicit PostgresSealing(Database& db) : db_(db) {}

  Result<std::unique_ptr<Sealables>> sealables(const SealingRange& range) override {
    return postgres::read_sealables(db_, range);
  }

  Result<std::unique_ptr<SealingOrder>> order(EvidenceStore& store) override {
    return open_order(store);
  }

  Result<std::unique_ptr<Rows>> waiting(std::int64_t) override { return changes_waiting(db_); }

  Result<std::optional<std::int64_t>> last() override { return std::optional<std::int64_t>(); }

  // vestige.erase_changes takes this lock, too. What is written behind it is given out, or signed, as soon as it is committed: it
  // must be on the disk then.
  Result<void> hold(std::string_view patience) override {
    const auto held = db_.script(fmt::format(
        "set local lock_timeout = {}; lock table vestige.sealer in share row exclusive mode;"
        "set local lock_timeout = 0;"
        "select pg_catalog.set_config('synchronous_commit', 'on', true)"
        " where pg_catalog.current_setting('synchronous_commit') = 'off'",
        db_.literal(Text{std::string(patience)})));
    if (held.has_value() || held.error().fault != Fault::conflict) return held;
    return hinted(fail(Fault::conflict, "seal: an erasure or another sealer is under way: {}",
                       held.error().message),
                  "it can go on when that transaction is at an end");
  }

  Result<std::string> kept(std::string_view note) override {
    const Value encoding = TRY(scalar(db_, "select pg_catalog.getdatabaseencoding()::text"));
    const auto* name = std::get_if<Text>(&encoding);
    if (name == nullptr || name->bytes == "UTF8") return std::string(note);
    return with_hyphens(note);
  }

  Result<void> index_who() override { return postgres::index_who(db_); }

  Result<std::optional<ReadTransaction>> still() override {
    return std::optional(TRY(ReadTransaction::begin(db_)));
  }

 private:
  Database& db_;
};

}  // namespace

std::unique_ptr<Sealing> sealing(Database& db) { return std::make_unique<PostgresSealing>(db); }

}  // namespace vestige::postgres
