#include "vestige/trail/sealing.h"

#include "vestige/trail/sqlite/sealables.h"
#include "vestige/trail/sqlite/trail.h"

namespace vestige::sqlite {
namespace {

class SqliteSealing final : public Sealing {
 public:
  explicit SqliteSealing(Database& db) : db_(db) {}

  Result<std::unique_ptr<Sealables>> sealables(const SealingRange& range) override {
    return sqlite::read_sealables(db_, range);
  }

  Result<std::unique_ptr<SealingOrder>> order(EvidenceStore& store) override {
    return open_order(store);
  }

  Result<std::unique_ptr<Rows>> waiting(std::int64_t last_id) override {
    return db_.query("select id, id > ?1 from vestige_change order by id", {last_id});
  }

  Result<std::optional<std::int64_t>> last() override {
    return std::optional(TRY(scalar_integer(db_, "select last_id from vestige_sealer")));
  }

  // Who writes is alone.
  Result<void> hold(std::string_view) override { return {}; }

  Result<std::string> kept(std::string_view note) override { return std::string(note); }

  // Capture does.
  Result<void> index_who() override { return {}; }

  // A reader that stays may keep writers from committing.
  Result<std::optional<ReadTransaction>> still() override {
    return std::optional<ReadTransaction>();
  }

 private:
  Database& db_;
};

}  // namespace

std::unique_ptr<Sealing> sealing(Database& db) { return std::make_unique<SqliteSealing>(db); }

}  // namespace vestige::sqlite
