#include "vestige/source/archived_past.h"

#include <algorithm>
#include <utility>

#include "vestige/base/decimal.h"
#include "vestige/trail/row_history.h"

namespace vestige {
namespace {

// What tells a row of a table from the others.
std::string name_of(const Row& key, std::optional<std::int64_t> row_id) {
  std::string out;
  for (const Field& field : key) {
    const std::string shown = to_display(field.value);
    out += is_null(field.value) ? "-;" : fmt::format("{}:{};", shown.size(), shown);
  }
  if (!tells_apart(key) && row_id.has_value()) out += fmt::format("rowid {}", *row_id);
  return out;
}

bool before(const Row& left, const Row& right) {
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    const std::string one = to_display(left[i].value);
    const std::string other = to_display(right[i].value);
    const auto numbers = compare_numbers(one, other);
    const int order = numbers.has_value() ? *numbers : one.compare(other);
    if (order != 0) return order < 0;
  }
  return left.size() < right.size();
}

// The first of these columns that a row has not.
const std::string* missing_column(const Row& row, const std::vector<std::string>& columns) {
  for (const std::string& column : columns)
    if (find(row, column) == nullptr) return &column;
  return nullptr;
}

tl::unexpected<Error> not_all(const Tracked& table, const Row& key, const std::string& column) {
  return hinted(
      fail(Fault::missing, "read {} {} from the archive: what {} was is in none of its changes",
           table.name, key_text(key), column),
      "the row is older than the archive; vestige log --archive shows what it has");
}

Result<FoldedRows> at_the_end(Database& db, const Tracked& table) {
  FoldedRows rows;
  Selection selection;
  selection.table = table.id;
  selection.oldest_first = true;
  auto changes = TRY(read_changes(db, selection));
  while (const auto change = TRY(changes->next())) rows.forward(*change);
  return rows;
}

class ArchivedRows final : public TableRows {
 public:
  ArchivedRows(Database& db, std::unique_ptr<TableRows> own) : db_(db), own_(std::move(own)) {}

  Result<Row> typed_key(const Tracked& table, const std::vector<std::string>& words) override {
    Row typed = TRY(own_->typed_key(table, words));
    // As the archive has it, whose types are its database's.
    Selection selection;
    selection.table = table.id;
    selection.key = typed;
    auto changes = TRY(read_changes(db_, selection));
    while (const auto change = TRY(changes->next()))
      for (const Row* key :
           {&change->key, change->new_key.has_value() ? &*change->new_key : nullptr})
        if (key != nullptr && name_of(*key, std::nullopt) == name_of(typed, std::nullopt))
          return *key;
    return typed;
  }
  Result<std::set<std::int64_t>> row_ids(const Tracked& table, const Row& key,
                                         std::size_t most) override {
    return own_->row_ids(table, key, most);
  }
  Result<std::optional<Row>> live_row(const Tracked& table, const RowName& name) override {
    const FoldedRows rows = TRY(at_the_end(db_, table));
    const FoldedRows::Known* found = rows.find(name);
    if (found == nullptr) return std::optional<Row>();
    Row row;
    for (const Column& column : table.shape.columns) {
      const Value* value = vestige::find(found->row, column.name);
      if (value == nullptr) return not_all(table, name.key, column.name);
      row.push_back({column.name, *value});
    }
    return std::optional(std::move(row));
  }

 private:
  Database& db_;
  std::unique_ptr<TableRows> own_;
};

class ListedStates final : public States {
 public:
  explicit ListedStates(std::vector<Row> rows) : rows_(std::move(rows)) {}
  Result<State> next() override {
    return next_ == rows_.size() ? State() : State(std::move(rows_[next_++]));
  }

 private:
  std::vector<Row> rows_;
  std::size_t next_ = 0;
};

class ArchivedPast final : public Past {
 public:
  using Last = std::function<Result<std::optional<std::int64_t>>(std::int64_t)>;
  ArchivedPast(Database& db, std::unique_ptr<Past> own, Last last, bool alone)
      : db_(db), own_(std::move(own)), last_(std::move(last)), alone_(alone) {}

  Result<std::unique_ptr<States>> at(const Tracked& table, const Instant& when) override {
    const auto last = alone_ ? std::nullopt : TRY(last_(table.id));
    if (!alone_ && (!last.has_value() || when.upto >= *last)) return own_->at(table, when);
    FoldedRows rows = alone_ ? TRY(at_the_end(db_, table)) : TRY(of_database(table, *last));
    Selection later;
    later.table = table.id;
    later.after = when.upto;
    if (!alone_) later.upto = *last;
    auto changes = TRY(read_changes(db_, later));
    while (const auto change = TRY(changes->next())) rows.backward(*change);
    return shown(table, rows, TRY(columns_at(db_, table, when.moment, when.upto)));
  }

  // Of those who read archives none asks for two moments.
  Result<std::unique_ptr<StatePairs>> between(const Tracked& table, const Instant& early,
                                              const Instant& late) override {
    return own_->between(table, early, late);
  }

 private:
  Result<FoldedRows> of_database(const Tracked& table, std::int64_t last) {
    FoldedRows rows;
    auto states = TRY(own_->at(table, {{Moment::Kind::change, last}, last}));
    while (State state = TRY(states->next())) {
      Row key;
      for (const Column& column : table.shape.key())
        if (const Value* value = find(*state, column.name); value != nullptr)
          key.push_back({column.name, *value});
      rows.put(key, std::move(*state));
    }
    return rows;
  }

  static Result<std::unique_ptr<States>> shown(const Tracked& table, const FoldedRows& rows,
                                               const std::vector<std::string>& columns) {
    std::vector<Row> out;
    for (const FoldedRows::Known& one : rows.in_order()) {
      if (one.lost) continue;
      if (const std::string* missing = missing_column(one.row, columns); missing != nullptr)
        return not_all(table, one.key, *missing);
      Row row;
      for (const std::string& column : columns) row.push_back({column, *find(one.row, column)});
      out.push_back(std::move(row));
    }
    return std::unique_ptr<States>(new ListedStates(std::move(out)));
  }

  Database& db_;
  std::unique_ptr<Past> own_;
  Last last_;
  bool alone_;
};

}  // namespace

void FoldedRows::put(const Row& key, Row row) {
  rows_[name_of(key, std::nullopt)] = {key, std::move(row)};
}

const FoldedRows::Known* FoldedRows::find(const RowName& name) const {
  const auto found = rows_.find(name_of(name.key, name.row_id));
  return found == rows_.end() ? nullptr : &found->second;
}

std::vector<FoldedRows::Known> FoldedRows::in_order() const {
  std::vector<Known> out;
  for (const auto& [name, known] : rows_) out.push_back(known);
  std::stable_sort(out.begin(), out.end(), [](const Known& left, const Known& right) {
    return before(left.key, right.key);
  });
  return out;
}

void FoldedRows::fold(const Change& change, bool forward) {
  if (!of_a_row(change.op) || change.erased_by("key").has_value()) return;
  const Row& late = change.new_key.has_value() ? *change.new_key : change.key;
  const Row& from = forward ? change.key : late;
  const Row& to = forward ? late : change.key;
  Known known;
  State state;
  if (auto node = rows_.extract(name_of(from, change.row_id)); !node.empty()) {
    known = std::move(node.mapped());
    state = std::move(known.row);
  }
  const Op whole = forward ? Op::insert : Op::remove;  // it says all of the row
  const Op gone = forward ? Op::remove : Op::insert;
  if (change.op == gone) return;
  if (change.op == whole || change.op == Op::baseline) known.lost = false;
  if (change.lost_values()) known.lost = true;
  else if (forward) fold_forward(state, change);
  else fold_backward(state, change);
  known.key = to;
  known.row = std::move(state).value_or(Row());
  rows_[name_of(to, change.row_id)] = std::move(known);
}

std::unique_ptr<TableRows> archived_rows(Database& db, std::unique_ptr<TableRows> own) {
  return std::make_unique<ArchivedRows>(db, std::move(own));
}

std::unique_ptr<Past> archived_past(
    Database& db, std::unique_ptr<Past> own,
    std::function<Result<std::optional<std::int64_t>>(std::int64_t)> last, bool alone) {
  return std::make_unique<ArchivedPast>(db, std::move(own), std::move(last), alone);
}

}  // namespace vestige
