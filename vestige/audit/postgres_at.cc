#include "vestige/audit/postgres_at.h"

#include "vestige/trail/postgres/catalog.h"

namespace vestige {
namespace {

class Objects final : public States {
 public:
  explicit Objects(std::unique_ptr<Rows> rows) : rows_(std::move(rows)) {}

  Result<State> next() override {
    if (TRY(rows_->next()) == Step::end) return State();
    return State(TRY(postgres::row_of_tokens(rows_->text(0))));
  }

 private:
  std::unique_ptr<Rows> rows_;
};

}  // namespace

Result<std::unique_ptr<States>> at_on_postgres(Database& db, const Tracked& table,
                                               const Moment& moment, std::int64_t upto) {
  // Values are printed as capture printed them.
  TRY(
      db.script("select pg_catalog.set_config(name, value, false) from (values"
                " ('timezone', 'UTC'),"
                " ('datestyle', 'ISO, YMD'), ('intervalstyle', 'postgres'),"
                " ('extra_float_digits', '1'), ('bytea_output', 'hex'), ('lc_monetary', 'C'),"
                " ('work_mem', '64MB'), ('jit', 'off')) s(name, value)"));
  const bool timed = moment.kind == Moment::Kind::time;
  const Value query = TRY(
      scalar(db,
             "select vestige.past_table(t, ?2::int8, case when ?3::int = 1 then timestamptz 'epoch'"
             " + ?4::int8 * interval '1 microsecond' end, false) from vestige.tracked t"
             " where t.id = ?1::int",
             {table.id, upto, timed ? 1 : 0, timed ? moment.value : 0}));
  auto rows = TRY(db.query(std::get<Text>(query).bytes));
  return std::unique_ptr<States>(new Objects(std::move(rows)));
}

}  // namespace vestige
