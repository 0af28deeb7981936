#include "vestige/trail/sqlite/table_merge.h"

#include <algorithm>
#include <utility>

namespace vestige::sqlite {
namespace {

bool has_null(const std::vector<Value>& key) {
  return std::any_of(key.begin(), key.end(),
                     [](const Value& value) { return std::holds_alternative<Null>(value); });
}

// What a row was, with what its changes leave open as it stands.
State state(Was& was, const WantedColumns& wanted, const Rows* live) {
  switch (was.kind) {
    case Was::Kind::live: return live == nullptr ? State() : State(wanted.row(nullptr, live));
    case Was::Kind::whole: return wanted.row(&was.row, nullptr);
    case Was::Kind::overlay: return wanted.row(&was.row, live);
    case Was::Kind::absent:
    case Was::Kind::unknown: break;
  }
  return State();
}

class TableStates final : public States {
 public:
  TableStates(std::unique_ptr<TableMerge> merge, const std::vector<std::string>& wanted)
      : merge_(std::move(merge)), wanted_(wanted, merge_->live()) {}

  Result<State> next() override {
    while (TRY(merge_->next())) {
      Touched* touched = merge_->touched();
      if (touched == nullptr) return State(wanted_.row(nullptr, merge_->row()));
      if (State was = state(touched->early, wanted_, merge_->row()); was.has_value()) return was;
    }
    return State();
  }

 private:
  std::unique_ptr<TableMerge> merge_;
  WantedColumns wanted_;
};

class TablePairs final : public StatePairs {
 public:
  TablePairs(std::unique_ptr<TableMerge> merge, const std::vector<std::string>& early,
             const std::vector<std::string>& late)
      : merge_(std::move(merge)), early_(early, merge_->live()), late_(late, merge_->live()) {}

  Result<std::optional<StatePair>> next() override {
    while (TRY(merge_->next())) {
      Touched* touched = merge_->touched();
      if (touched == nullptr || !touched->between) continue;
      if (touched->early.kind == Was::Kind::unknown || touched->late.kind == Was::Kind::unknown)
        continue;
      return std::optional(StatePair{state(touched->early, early_, merge_->row()),
                                     state(touched->late, late_, merge_->row())});
    }
    return std::optional<StatePair>();
  }

 private:
  std::unique_ptr<TableMerge> merge_;
  WantedColumns early_;
  WantedColumns late_;
};

}  // namespace

WantedColumns::WantedColumns(const std::vector<std::string>& names, const LiveScan& live) {
  for (const std::string& name : names) {
    const auto found = std::find(live.columns.begin(), live.columns.end(), name);
    columns_.push_back(
        {name, found == live.columns.end() ? -1 : static_cast<int>(found - live.columns.begin())});
  }
}

Row WantedColumns::row(Row* known, const Rows* live) const {
  Row out;
  out.reserve(columns_.size());
  for (const Column& column : columns_) {
    Value* value = nullptr;
    if (known != nullptr)
      for (Field& field : *known)
        if (field.name == column.name) value = &field.value;
    if (value != nullptr) out.push_back({column.name, std::move(*value)});
    else if (live != nullptr && column.place >= 0)
      out.push_back({column.name, live->value(column.place)});
  }
  return out;
}

Result<void> TableMerge::merge_with(std::unique_ptr<TouchedRows> touched) {
  touched_ = std::move(touched);
  ahead_ = TRY(touched_->next());
  return {};
}

Result<bool> TableMerge::next() {
  if (std::exchange(stands_, false)) TRY(step());
  given_.reset();
  if (!ahead_.has_value() && ended_) return false;
  int order = ahead_.has_value() ? -1 : 1;
  if (ahead_.has_value() && !ended_) order = TRY(compare());
  stands_ = order >= 0;
  if (order > 0) return true;
  given_ = std::move(ahead_);
  ahead_ = TRY(touched_->next());
  return true;
}

// The touched row against the row where the scan stands.
Result<int> TableMerge::compare() const {
  const int order = TRY(order_.compare(ahead_->key, live_key_));
  if (order != 0 || !live_.row_ids || !has_null(live_key_)) return order;
  const std::int64_t row_id = live_.rows->integer(static_cast<int>(live_.columns.size()));
  return ahead_->row_id < row_id ? -1 : ahead_->row_id > row_id ? 1 : 0;
}

Result<void> TableMerge::step() {
  ended_ = live_.rows == nullptr || TRY(live_.rows->next()) == Step::end;
  if (ended_) return {};
  for (std::size_t i = 0; i < live_.key.size(); ++i) live_key_[i] = live_.rows->value(live_.key[i]);
  return {};
}

std::unique_ptr<States> states_of(std::unique_ptr<TableMerge> merge,
                                  const std::vector<std::string>& wanted) {
  return std::make_unique<TableStates>(std::move(merge), wanted);
}

std::unique_ptr<StatePairs> pairs_of(std::unique_ptr<TableMerge> merge,
                                     const std::vector<std::string>& early,
                                     const std::vector<std::string>& late) {
  return std::make_unique<TablePairs>(std::move(merge), early, late);
}

}  // namespace vestige::sqlite
