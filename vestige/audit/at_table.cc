// at, for a whole table: the changes after the moment, sorted by key, become what each touched row was
// (a temporary table), and are merged with one scan of the table in key order.

#include <deque>

#include "vestige/audit/at.h"
#include "vestige/audit/row_history.h"
#include "vestige/trail/decode.h"
#include "vestige/trail/install.h"
#include "vestige/trail/live_table.h"

namespace vestige {
namespace {

// What a touched row was: absent; known whole; or the live row with some columns as they were.
constexpr char kAbsent = 'A';
constexpr char kWhole = 'W';
constexpr char kOverlay = 'O';

void fill(Row& row, const Row& values) {
  for (const Field& field : values)
    if (find(row, field.name) == nullptr) row.push_back(field);
}

bool same_keys(const std::vector<Value>& left, const std::vector<Value>& right) {
  for (std::size_t i = 0; i < left.size(); ++i)
    if (!same_key(left[i], right[i])) return false;
  return true;
}

// Folds the changes to one key, oldest first, into what the row with that key was before them.
class Touched {
 public:
  void begin(Row key) {
    key_ = std::move(key);
    row_.clear();
    kind_ = kOverlay;
    done_ = false;
    first_ = true;
  }

  Result<void> take(Database& db, const Tracked& table, const Change& change, bool arrives) {
    if (done_) return {};
    const bool first = std::exchange(first_, false);
    if (change.op == Op::insert || arrives) {
      done_ = true;
      if (first) kind_ = kAbsent;
      else kind_ = kWhole;
    } else if (change.op == Op::remove || change.op == Op::baseline) {
      fill(row_, change.op == Op::remove ? *change.old_values : *change.new_values);
      kind_ = kWhole;
      done_ = true;
    } else {
      fill(row_, *change.old_values);
      if (change.new_key.has_value()) {
        const State rest = TRY(state_of(db, table, *change.new_key, change.id));
        if (rest.has_value()) fill(row_, *rest);
        kind_ = kWhole;
        done_ = true;
      }
    }
    return {};
  }

  const Row& key() const { return key_; }
  std::string payload() const { return kind_ == kAbsent ? "A" : kind_ + to_json(row_); }

 private:
  Row key_;
  Row row_;
  char kind_ = kOverlay;
  bool done_ = false;
  bool first_ = true;
};

class TableStates final : public States {
 public:
  TableStates(std::unique_ptr<Rows> rows, std::size_t keys, std::vector<std::string> live,
              std::vector<std::string> wanted)
      : rows_(std::move(rows)), keys_(keys), live_(std::move(live)), wanted_(std::move(wanted)) {
    plain_ = live_ == wanted_;
  }

  Result<State> next() override {
    while (ready_.empty() && !ended_) TRY(step());
    if (ready_.empty()) return State();
    State state = std::move(ready_.front());
    ready_.pop_front();
    return state;
  }

 private:
  Result<void> step() {
    if (TRY(rows_->next()) == Step::end) {
      ended_ = true;
      return flush();
    }
    if (rows_->integer(0) == 0) {
      TRY(flush());
      pending_key_ = key();
      pending_ = rows_->text(static_cast<int>(keys_) + 1);
      return {};
    }
    if (!pending_.empty() && same_keys(pending_key_, key())) {
      const std::string payload = std::exchange(pending_, {});
      if (payload[0] == kAbsent) return {};
      Row row = TRY(row_from_json(std::string_view(payload).substr(1)));
      if (payload[0] == kOverlay) fill(row, live());
      ready_.emplace_back(with_columns(row, wanted_));
      return {};
    }
    TRY(flush());
    ready_.emplace_back(plain_ ? live() : with_columns(live(), wanted_));
    return {};
  }

  // A touched row without a live one.
  Result<void> flush() {
    const std::string payload = std::exchange(pending_, {});
    if (payload.empty() || payload[0] == kAbsent) return {};
    ready_.emplace_back(
        with_columns(TRY(row_from_json(std::string_view(payload).substr(1))), wanted_));
    return {};
  }

  std::vector<Value> key() const {
    std::vector<Value> values;
    for (std::size_t i = 0; i < keys_; ++i) values.push_back(rows_->value(static_cast<int>(i) + 1));
    return values;
  }

  Row live() const {
    Row row;
    row.reserve(live_.size());
    for (std::size_t i = 0; i < live_.size(); ++i)
      row.push_back({live_[i], rows_->value(static_cast<int>(keys_ + 2 + i))});
    return row;
  }

  std::unique_ptr<Rows> rows_;
  std::size_t keys_;
  std::vector<std::string> live_;
  std::vector<std::string> wanted_;
  bool plain_ = false;
  std::deque<State> ready_;
  std::vector<Value> pending_key_;
  std::string pending_;
  bool ended_ = false;
};

std::string collation_of(Database& db, const LiveTable* live, const std::string& column) {
  if (live != nullptr)
    for (const UniqueIndex& index : live->unique)
      for (const UniqueIndex::Term& term : index.terms)
        if (term.column == column) return " collate " + db.quote_name(term.collation);
  return "";
}

Result<void> keep_touched(Database& db, const Tracked& table, std::int64_t upto, std::size_t keys) {
  std::string places;
  for (std::size_t i = 0; i <= keys; ++i) places += fmt::format("{}?{}", i == 0 ? "" : ", ", i + 1);
  const std::string insert = "insert into temp.vestige_touched values (" + places + ")";
  Touched touched;
  const auto keep = [&]() -> Result<void> {
    if (touched.key().empty()) return {};
    Params values;
    for (const Field& field : touched.key()) values.push_back(field.value);
    values.emplace_back(Text{touched.payload()});
    TRY(db.run(insert, values));
    return {};
  };
  Decoder decoder = TRY(Decoder::open(db));
  auto rows = TRY(
      db.query("select " + change_columns() +
                   ", e.k, e.arrives from (select key as k, id, 0 as arrives from vestige_change"
                   " where id > ?2 and tbl = ?1 union all select new_key, id, 1 from "
                   "vestige_change where id > ?2 and"
                   " tbl = ?1 and new_key is not null order by 1, 2 limit -1) as e"
                   " cross join vestige_change as c on c.id = e.id",
               {table.id, upto}));
  const int place = rows->columns() - 2;
  Value last;
  bool any = false;
  while (TRY(rows->next()) == Step::row) {
    const auto change = TRY(decoder.decode(*rows));
    if (!change.has_value()) continue;
    const bool arrives = rows->integer(place + 1) != 0;
    const Value stored = rows->value(place);
    if (!any || !identical(last, stored)) {
      TRY(keep());
      TRY(names_a_row(table, arrives ? *change->new_key : change->key));
      touched.begin(arrives ? *change->new_key : change->key);
      last = stored;
      any = true;
    }
    TRY(touched.take(db, table, *change, arrives));
  }
  return keep();
}

}  // namespace

Result<std::unique_ptr<States>> at(Database& db, const std::string& name, const Moment& moment) {
  TRY(require_trail(db));
  const Tracked table = TRY(tracked_table(db, name));
  const std::int64_t upto = TRY(resolve(db, moment));
  const auto wanted = TRY(columns_at(db, table, moment, upto));
  const auto key = table.shape.key();
  if (key.empty())
    return hinted(
        fail(Fault::invalid, "read {} at a moment: it is tracked without a key", table.name),
        "vestige log " + table.name +
            " shows its changes; give it a primary key, or track it with"
            " --key over a UNIQUE constraint");
  auto live = live_table(db, table.name);
  if (!live.has_value() && live.error().fault != Fault::missing)
    return tl::unexpected<Error>(std::move(live).error());
  const LiveTable* stands = live.has_value() ? &*live : nullptr;

  std::string columns;
  for (std::size_t i = 0; i < key.size(); ++i)
    columns += fmt::format("{}k{}{}", i == 0 ? "" : ", ", i, collation_of(db, stands, key[i].name));
  TRY(db.script("drop table if exists temp.vestige_touched; create temp table vestige_touched (" +
                columns + ", payload text)"));
  TRY(keep_touched(db, table, upto, key.size()));

  std::string touched = "select 0";
  std::string scan = "select 1";
  std::string order;
  for (std::size_t i = 0; i < key.size(); ++i) {
    touched += fmt::format(", k{}", i);
    scan += ", " + db.quote_name(key[i].name);
    order += fmt::format("{}, ", i + 2);
  }
  touched += ", payload";
  scan += ", null";
  std::vector<std::string> names;
  if (stands != nullptr)
    for (const Column& column : table.shape.columns)
      if (stands->find(column.name) != nullptr) {
        names.push_back(column.name);
        touched += ", null";
        scan += ", " + db.quote_name(column.name);
      }
  std::string sql = touched + " from temp.vestige_touched";
  if (stands != nullptr) sql += " union all " + scan + " from " + db.quote_name(stands->name);
  auto rows = TRY(db.query(sql + " order by " + order + "1"));
  return std::unique_ptr<States>(new TableStates(std::move(rows), key.size(), names, wanted));
}

}  // namespace vestige
