// The sealing order on SQLite: ids are given in the order of the commits.
#include <utility>

#include "vestige/trail/sqlite/encrypting.h"
#include "vestige/trail/sqlite/sealables.h"

namespace vestige::sqlite {
namespace {

class SqliteOrder final : public SealingOrder {
 public:
  explicit SqliteOrder(EvidenceStore& store) : store_(store) {}

  Result<std::unique_ptr<Sealables>> next(std::int64_t limit) override {
    SealingRange range;
    range.upto =
        TRY(encrypt_waiting(store_.db()));  // nothing is sealed that has yet to be encrypted
    range.after = TRY(scalar_integer(store_.db(), "select last_id from vestige_sealer"));
    range.limit = limit;
    return sqlite::read_sealables(store_.db(), range);
  }

  Result<bool> advance(std::uint64_t before, std::uint64_t after, std::int64_t last_id,
                       bool ended) override {
    if (TRY(store_.size()) != before) return false;
    done_ = ended;
    if (last_id == 0) return true;
    TRY(store_.db().run(
        "insert into vestige_sealer (only_row, size, last_id) values (1, ?1, ?2)"
        " on conflict (only_row) do update set size = excluded.size, last_id = excluded.last_id",
        {static_cast<std::int64_t>(after), last_id}));
    return true;
  }

  bool done() const override { return done_; }
  void again() override { done_ = false; }
  // The pragma tells of every commit but this connection's own.
  Result<bool> due(std::uint64_t /*size*/) override {
    const std::int64_t now = TRY(scalar_integer(store_.db(), "pragma data_version"));
    return std::exchange(version_, now) != now;
  }
  // So few that a writer hardly waits while they are written.
  std::int64_t most() const override { return 8192; }
  // The database need not be locked for nothing.
  bool rests() const override { return true; }
  Result<std::vector<Unfinished>> unfinished() override { return std::vector<Unfinished>(); }

 private:
  EvidenceStore& store_;
  bool done_ = false;
  std::int64_t version_ = 0;
};

}  // namespace

Result<std::unique_ptr<SealingOrder>> open_order(EvidenceStore& store) {
  return std::unique_ptr<SealingOrder>(new SqliteOrder(store));
}

}  // namespace vestige::sqlite
