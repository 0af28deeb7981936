// Erasing on PostgreSQL is vestige.erase_changes (sql/postgres/install/erase.sql). Test: test/postgres_erase_test.cc.
#include "vestige/trail/eraser.h"

#include "vestige/trail/postgres/catalog.h"
#include "vestige/trail/postgres/trail.h"

namespace vestige::postgres {
namespace {

class PostgresEraser final : public Eraser {
 public:
  explicit PostgresEraser(Database& db) : Eraser(db), db_(db) {}

  void tidy() override {}

  Result<std::int64_t> name_archived(std::int64_t table,
                                     const std::map<std::int64_t, std::string>& parts,
                                     const Context&) override {
    std::string ids, named;
    for (const auto& [id, taken] : parts) {
      ids += fmt::format("{}{}", ids.empty() ? "" : ",", id);
      named += fmt::format("{}\"{}\"", named.empty() ? "" : ",", taken);
    }
    return scalar_integer(db_, "select vestige.erase_archived(?1::int, ?2::bigint[], ?3::text[])",
                          {table, Text{"{" + ids + "}"}, Text{"{" + named + "}"}});
  }

  std::string_view remains() const override {
    return "PostgreSQL keeps what was erased in its files until VACUUM, and in"
           " its write-ahead log and backups as long as these are kept";
  }

 private:
  // The context stands in the transaction.
  Result<std::vector<std::int64_t>> take_unheld(const std::vector<std::int64_t>& ids,
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

  // vestige.erase_changes has done it, for those who erase by SQL as well; that of an older trail does not.
  Result<std::optional<std::int64_t>> take_told(const ToldAlerts&, const Context&) override {
    if (TRY(has_function(db_, "erase_told"))) return std::optional<std::int64_t>();
    return hinted(fail(Fault::missing,
                       "erase: this trail is older and leaves what alerts say of the changes"),
                  "vestige init brings it up to date");
  }

  // An older trail knows no holds.
  Result<std::optional<Held>> held_there(const std::vector<std::int64_t>& ids) override {
    if (!TRY(has_function(db_, "held"))) return std::optional<Held>();
    auto rows = TRY(db_.query("select hold, matter, change from vestige.held(?1::bigint[]) limit 1",
                              {Text{fmt::format("{{{}}}", fmt::join(ids, ","))}}));
    if (TRY(rows->next()) == Step::end) return std::optional<Held>();
    return std::optional(Held{rows->integer(0), rows->text(1), rows->integer(2)});
  }

  Database& db_;
};

}  // namespace

std::unique_ptr<Eraser> eraser(Database& db) { return std::make_unique<PostgresEraser>(db); }

}  // namespace vestige::postgres
