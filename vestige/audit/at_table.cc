// at, for a whole table: the changes after the moment, sorted by key, become what each touched row was, and
// are merged with one scan of the table in key order.

#include <algorithm>
#include <optional>

#include "vestige/audit/at.h"
#include "vestige/audit/key_order.h"
#include "vestige/audit/postgres_at.h"
#include "vestige/audit/row_history.h"
#include "vestige/trail/install.h"
#include "vestige/trail/sqlite/decode.h"
#include "vestige/trail/sqlite/live_table.h"

namespace vestige {
namespace {

// What a touched row was: absent; known whole; the live row with some columns as they were; or not known.
constexpr char kAbsent = 'A';
constexpr char kWhole = 'W';
constexpr char kOverlay = 'O';
constexpr char kUnknown = 'E';  // erased

struct Was {
  std::vector<Value> key;
  std::int64_t row_id = 0;  // where the key does not tell rows apart
  char kind = kOverlay;
  Row row;
};

void fill(Row& row, const Row& values) {
  row.reserve(values.size());
  for (const Field& field : values)
    if (find(row, field.name) == nullptr) row.push_back(field);
}

// The touched rows, one at a time.
class TouchedRows {
 public:
  TouchedRows() = default;
  TouchedRows(const TouchedRows&) = delete;
  TouchedRows& operator=(const TouchedRows&) = delete;
  virtual ~TouchedRows() = default;
  virtual Result<std::optional<Was>> next() = 0;
};

bool has_null(const std::vector<Value>& key) {
  return std::any_of(key.begin(), key.end(),
                     [](const Value& value) { return std::holds_alternative<Null>(value); });
}

// Folds the changes to each key, oldest first, into what the row with that key was before them. In the order
// of the keys as they are stored.
class Folded final : public TouchedRows {
 public:
  static Result<std::unique_ptr<TouchedRows>> read(Database& db, const Tracked& table,
                                                   std::int64_t upto, const std::string& order) {
    Decoder decoder = TRY(Decoder::open(db));
    // Where a key holds a NULL, the rowid tells rows apart. The stored form of several columns is JSON.
    const bool one = table.shape.key().size() == 1;
    std::string row_id;
    if (table.shape.row_ids)
      row_id = one ? "iif(k is null, row_id, 0), "
                   : "iif(instr(k, 'null') and json_valid(k) and exists (select 1 from json_each(k)"
                     " where type = 'null'), row_id, 0), ";
    auto rows = TRY(db.query(
        fmt::format("select {}, e.k, e.arrives from (select k, id, arrives from ("
                    "select key as k, id, 0 as arrives, row_id from vestige_change"
                    " where id > ?2 and tbl = ?1 and op <> 'E' and coalesce(changed, 0) > {}"
                    " union all select new_key, id, 1, row_id from vestige_change"
                    " where id > ?2 and tbl = ?1 and (new_key is not null{})) order by {}, {}id,"
                    " arrives limit -1) as e cross join vestige_change as c on c.id = e.id",
                    change_columns(), kKeyErased, one ? " or (op = 'U' and changed & 1)" : "",
                    order, row_id),
        {table.id, upto}));
    return std::unique_ptr<TouchedRows>(new Folded(db, table, std::move(decoder), std::move(rows)));
  }

  Result<std::optional<Was>> next() override {
    std::optional<Was> was = std::exchange(begun_, std::nullopt);
    while (TRY(rows_->next()) == Step::row) {
      const auto change = TRY(decoder_.decode(*rows_));
      if (!change.has_value()) continue;
      const int place = rows_->columns() - 2;
      const bool arrives = rows_->integer(place + 1) != 0;
      Value stored = rows_->value(place);
      const Row& key = arrives ? *change->new_key : change->key;
      const std::int64_t row_id =
          tells_apart(key) || !change->row_id.has_value() ? 0 : *change->row_id;
      if (!key_.has_value() || !same_key(*key_, stored) || row_id != row_id_) {
        TRY(names_a_row(table_, {key, change->row_id}));
        key_ = std::move(stored);
        row_id_ = row_id;
        Was& begun = begun_.emplace();
        begun.row_id = row_id;
        for (const Field& field : key) begun.key.push_back(field.value);
        done_ = false;
        first_ = true;
        TRY(take(begun, *change, arrives));
        if (was.has_value()) return was;
        was = std::exchange(begun_, std::nullopt);
      } else if (was.has_value()) {
        TRY(take(*was, *change, arrives));
      }
    }
    return was;
  }

 private:
  Folded(Database& db, const Tracked& table, Decoder decoder, std::unique_ptr<Rows> rows)
      : db_(db), table_(table), decoder_(std::move(decoder)), rows_(std::move(rows)) {}

  Result<void> take(Was& was, const Change& change, bool arrives) {
    if (done_) return {};
    const bool first = std::exchange(first_, false);
    if (change.op == Op::insert || arrives) {
      done_ = true;
      was.kind = first ? kAbsent : kWhole;
    } else if (change.lost_values()) {
      was.kind = kUnknown;
      done_ = true;
    } else if (change.op == Op::remove || change.op == Op::baseline) {
      fill(was.row, change.op == Op::remove ? *change.old_values : *change.new_values);
      was.kind = kWhole;
      done_ = true;
    } else {
      fill(was.row, *change.old_values);
      if (change.new_key.has_value()) {
        const auto rest =
            TRY(known_state(db_, table_, {*change.new_key, change.row_id}, change.id));
        if (rest.state.has_value()) fill(was.row, *rest.state);
        was.kind = rest.lost.has_value() ? kUnknown : kWhole;
        done_ = true;
      }
    }
    return {};
  }

  Database& db_;
  Tracked table_;
  Decoder decoder_;
  std::unique_ptr<Rows> rows_;
  std::optional<Value> key_;  // stored, of the row that was begun last
  std::int64_t row_id_ = 0;
  std::optional<Was> begun_;  // the row after the one that is given
  bool done_ = false;
  bool first_ = true;
};

// Rows that were kept in a temporary table, in the order of their key columns.
class Sorted final : public TouchedRows {
 public:
  Sorted(std::unique_ptr<Rows> rows, std::size_t keys) : rows_(std::move(rows)), keys_(keys) {}

  Result<std::optional<Was>> next() override {
    if (TRY(rows_->next()) == Step::end) return std::optional<Was>();
    Was was;
    for (std::size_t i = 0; i < keys_; ++i) was.key.push_back(rows_->value(static_cast<int>(i)));
    was.row_id = rows_->integer(static_cast<int>(keys_) + 1);
    const std::string payload = rows_->text(static_cast<int>(keys_));
    was.kind = payload[0];
    was.row = TRY(row_from_json(std::string_view(payload).substr(1)));
    return std::optional<Was>(std::move(was));
  }

 private:
  std::unique_ptr<Rows> rows_;
  std::size_t keys_;
};

Result<void> make_room(Database& db, std::size_t keys) {
  std::string columns;
  for (std::size_t i = 0; i < keys; ++i) columns += fmt::format("k{}, ", i);
  return db.script(
      "drop table if exists temp.vestige_touched; create temp table vestige_touched (" + columns +
      "payload, row_id)");
}

// Keys of several columns are stored as one text, whose order is not theirs: such rows are sorted anew, in the
// room that was made for them.
Result<std::unique_ptr<TouchedRows>> sorted_anew(Database& db, TouchedRows& touched,
                                                 std::size_t keys, const KeyOrder& order) {
  std::vector<std::string> columns;
  std::string places;
  for (std::size_t i = 0; i < keys; ++i) {
    columns.push_back(fmt::format("k{}", i));
    places += fmt::format("?{}, ", i + 1);
  }
  const std::string list = fmt::format("{}", fmt::join(columns, ", "));
  const std::string insert = fmt::format("insert into temp.vestige_touched values ({}?{}, ?{})",
                                         places, keys + 1, keys + 2);
  while (const auto was = TRY(touched.next())) {
    Params values = was->key;
    values.emplace_back(Text{was->kind + to_json(was->row)});
    values.emplace_back(was->row_id);
    TRY(db.run(insert, values));
  }
  auto rows =
      TRY(db.query("select " + list + ", payload, row_id from temp.vestige_touched order by " +
                   order.terms(columns) + ", row_id"));
  return std::unique_ptr<TouchedRows>(new Sorted(std::move(rows), keys));
}

// The two streams as one.
class TableStates final : public States {
 public:
  struct Live {
    std::unique_ptr<Rows> rows;  // none: the table is gone
    std::vector<std::string> columns;
    std::vector<int> key;  // places in columns
    bool row_ids = false;  // the rowid is read after the columns
  };

  TableStates(KeyOrder order, Live live, const std::vector<std::string>& wanted)
      : order_(std::move(order)), live_(std::move(live)), live_key_(live_.key.size()) {
    for (const std::string& name : wanted) {
      Wanted& column = wanted_.emplace_back(Wanted{name, -1});
      for (std::size_t i = 0; i < live_.columns.size(); ++i)
        if (live_.columns[i] == name) column.place = static_cast<int>(i);
    }
  }

  // Reads the first live row: what is read from now on is of the same snapshot.
  Result<void> open() { return step(); }

  Result<void> merge_with(std::unique_ptr<TouchedRows> touched) {
    touched_ = std::move(touched);
    was_ = TRY(touched_->next());
    return {};
  }

  Result<State> next() override {
    while (was_.has_value() || !ended_) {
      int order = was_.has_value() ? -1 : 1;
      if (was_.has_value() && !ended_) order = TRY(compare());
      if (order > 0) {
        State state = row(nullptr, true);
        TRY(step());
        return state;
      }
      State state;
      if (was_->kind != kAbsent && was_->kind != kUnknown)
        state = row(&was_->row, order == 0 && was_->kind == kOverlay);
      was_ = TRY(touched_->next());
      if (order == 0) TRY(step());
      if (state.has_value()) return state;
    }
    return State();
  }

 private:
  // The touched row against the row where the scan stands.
  Result<int> compare() {
    const int order = TRY(order_.compare(was_->key, live_key_));
    if (order != 0 || !live_.row_ids || !has_null(live_key_)) return order;
    const std::int64_t row_id = live_.rows->integer(static_cast<int>(live_.columns.size()));
    return was_->row_id < row_id ? -1 : was_->row_id > row_id ? 1 : 0;
  }

  // The wanted columns, of what is known first, and then of the live row where the scan stands.
  Row row(Row* known, bool live) {
    Row out;
    out.reserve(wanted_.size());
    for (const Wanted& column : wanted_) {
      Value* value = nullptr;
      if (known != nullptr)
        for (Field& field : *known)
          if (field.name == column.name) value = &field.value;
      if (value != nullptr) out.push_back({column.name, std::move(*value)});
      else if (live && column.place >= 0)
        out.push_back({column.name, live_.rows->value(column.place)});
    }
    return out;
  }

  Result<void> step() {
    ended_ = live_.rows == nullptr || TRY(live_.rows->next()) == Step::end;
    if (ended_) return {};
    for (std::size_t i = 0; i < live_.key.size(); ++i)
      live_key_[i] = live_.rows->value(live_.key[i]);
    return {};
  }

  struct Wanted {
    std::string name;
    int place = -1;  // in the live row; -1: not there
  };

  KeyOrder order_;
  Live live_;
  std::vector<Wanted> wanted_;
  std::vector<Value> live_key_;  // of the row where the scan stands
  std::unique_ptr<TouchedRows> touched_;
  std::optional<Was> was_;  // the next touched row
  bool ended_ = false;
};

std::string collation_of(const LiveTable* live, const std::string& column) {
  if (live != nullptr)
    for (const UniqueIndex& index : live->unique)
      for (const UniqueIndex::Term& term : index.terms)
        if (term.column == column) return term.collation;
  return "";
}

}  // namespace

Result<std::unique_ptr<States>> at(Database& db, const std::string& name, const Moment& moment) {
  TRY(require_trail(db));
  const Tracked table = TRY(tracked_table(db, name));
  const std::int64_t upto = TRY(resolve(db, moment));
  const auto key = table.shape.key();
  if (key.empty())
    return hinted(
        fail(Fault::invalid, "read {} at a moment: it is tracked without a key", table.name),
        "vestige log " + table.name +
            " shows its changes; give it a primary key, or track it with"
            " --key over a UNIQUE constraint");
  if (db.engine() == Engine::postgres) return at_on_postgres(db, table, moment, upto);
  const auto wanted = TRY(columns_at(db, table, moment, upto));
  auto live = live_table(db, table.name);
  if (!live.has_value() && live.error().fault != Fault::missing)
    return tl::unexpected<Error>(std::move(live).error());
  const LiveTable* stands = live.has_value() ? &*live : nullptr;

  std::vector<std::string> collations;
  std::vector<std::string> key_columns;
  for (const Column& column : key) {
    collations.push_back(collation_of(stands, column.name));
    key_columns.push_back(db.quote_name(column.name));
  }
  const KeyOrder order = TRY(KeyOrder::of(db, collations));

  TableStates::Live scan;
  if (stands != nullptr) {
    std::string columns;
    for (const Column& column : table.shape.columns) {
      if (stands->find(column.name) == nullptr) continue;
      if (column.key > 0) scan.key.push_back(static_cast<int>(scan.columns.size()));
      scan.columns.push_back(column.name);
      columns += (columns.empty() ? "" : ", ") + db.quote_name(column.name);
    }
    scan.row_ids = table.shape.row_ids && !stands->row_id.empty();
    std::string sorted = order.terms(key_columns);
    if (scan.row_ids) {
      columns += ", " + stands->row_id;
      sorted += ", " + stands->row_id;
    }
    scan.rows = TRY(db.query(fmt::format("select {} from {} order by {}", columns,
                                         db.quote_name(stands->name), sorted)));
  }
  auto states = std::make_unique<TableStates>(order, std::move(scan), wanted);
  const bool one = key.size() == 1;
  if (!one) TRY(make_room(db, key.size()));  // no table can be dropped while another is read
  TRY(states->open());
  auto touched = TRY(Folded::read(db, table, upto, one ? order.terms({"k"}) : "k"));
  if (!one) touched = TRY(sorted_anew(db, *touched, key.size(), order));
  TRY(states->merge_with(std::move(touched)));
  return std::unique_ptr<States>(std::move(states));
}

}  // namespace vestige
