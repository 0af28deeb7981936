// A whole table as it was on PostgreSQL: one query, which the trail writes (sql/postgres/install/past.sql): one scan of the table and of
// the changes after the moment, sorted by the server.
#include "vestige/trail/past.h"

#include "vestige/trail/postgres/catalog.h"
#include "vestige/trail/postgres/trail.h"

namespace vestige::postgres {
namespace {

Result<State> state(const Rows& rows, int column) {
  if (rows.is_null(column)) return State();
  return State(TRY(row_of_tokens(rows.text(column))));
}

class Objects final : public States {
 public:
  explicit Objects(std::unique_ptr<Rows> rows) : rows_(std::move(rows)) {}

  Result<State> next() override {
    if (TRY(rows_->next()) == Step::end) return State();
    return state(*rows_, 0);
  }

 private:
  std::unique_ptr<Rows> rows_;
};

class Pairs final : public StatePairs {
 public:
  explicit Pairs(std::unique_ptr<Rows> rows) : rows_(std::move(rows)) {}

  Result<std::optional<StatePair>> next() override {
    if (TRY(rows_->next()) == Step::end) return std::optional<StatePair>();
    StatePair pair;
    pair.early = TRY(state(*rows_, 0));
    pair.late = TRY(state(*rows_, 1));
    return std::optional(std::move(pair));
  }

 private:
  std::unique_ptr<Rows> rows_;
};

// The time that was asked for, as SQL; null where a change was.
std::string time_of(Params& params, const Instant& when) {
  const bool timed = when.moment.kind == Moment::Kind::time;
  params.emplace_back(timed ? Value(when.moment.value) : Value(Null{}));
  return fmt::format("timestamptz 'epoch' + ?{}::int8 * interval '1 microsecond'", params.size());
}

class PostgresPast final : public Past {
 public:
  explicit PostgresPast(Database& db) : db_(db) {}

  Result<std::unique_ptr<States>> at(const Tracked& table, const Instant& when) override {
    Params params = {table.id, when.upto};
    const std::string time = time_of(params, when);
    auto rows = TRY(written(fmt::format("past_table(t, ?2::int8, {}, false)", time), params));
    return std::unique_ptr<States>(new Objects(std::move(rows)));
  }

  Result<std::unique_ptr<StatePairs>> between(const Tracked& table, const Instant& early,
                                              const Instant& late) override {
    Params params = {table.id, early.upto, late.upto};
    const std::string first = time_of(params, early);
    const std::string last = time_of(params, late);
    auto rows = TRY(written(
        fmt::format("past_differences(t, ?2::int8, {}, ?3::int8, {})", first, last), params));
    return std::unique_ptr<StatePairs>(new Pairs(std::move(rows)));
  }

 private:
  // Runs the query that a function of the trail writes. Values are printed as capture printed them.
  Result<std::unique_ptr<Rows>> written(const std::string& function, const Params& params) {
    TRY(
        db_.script("select pg_catalog.set_config(name, value, false) from (values"
                   " ('timezone', 'UTC'),"
                   " ('datestyle', 'ISO, YMD'), ('intervalstyle', 'postgres'),"
                   " ('extra_float_digits', '1'), ('bytea_output', 'hex'), ('lc_monetary', 'C'),"
                   " ('work_mem', '64MB'), ('jit', 'off')) s(name, value)"));
    const Value query = TRY(
        scalar(db_, "select vestige." + function + " from vestige.tracked t where t.id = ?1::int",
               params));
    return db_.query(std::get<Text>(query).bytes);
  }

  Database& db_;
};

}  // namespace

std::unique_ptr<Past> past(Database& db) { return std::make_unique<PostgresPast>(db); }

}  // namespace vestige::postgres
