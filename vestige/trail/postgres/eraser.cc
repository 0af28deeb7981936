// Erasing on PostgreSQL is vestige.erase_changes (sql/postgres/install/erase.sql). Test: test/postgres_erase_test.cc.
#include "vestige/trail/eraser.h"

#include "vestige/trail/postgres/trail.h"

namespace vestige::postgres {
namespace {

class PostgresEraser final : public Eraser {
 public:
  explicit PostgresEraser(Database& db) : db_(db) {}

  // The context stands in the transaction.
  Result<std::vector<std::int64_t>> take(const std::vector<std::int64_t>& ids,
                                         const ErasedParts& parts, const Context&) override {
    std::vector<std::int64_t> by;
    auto rows =
        TRY(db_.query("select e from vestige.erase_changes(?1::bigint[], ?2::int::boolean,"
                      " ?3::int::boolean) e",
                      {Text{fmt::format("{{{}}}", fmt::join(ids, ","))}, parts.keys ? 1 : 0,
                       parts.contexts ? 1 : 0}));
    while (TRY(rows->next()) == Step::row) by.push_back(rows->integer(0));
    return by;
  }

  void tidy() override {}

  std::string_view remains() const override {
    return "PostgreSQL keeps what was erased in its files until VACUUM, and in"
           " its write-ahead log and backups as long as these are kept";
  }

 private:
  Database& db_;
};

}  // namespace

std::unique_ptr<Eraser> eraser(Database& db) { return std::make_unique<PostgresEraser>(db); }

}  // namespace vestige::postgres
