#include "vestige/audit/diff.h"

#include <algorithm>
#include <utility>

#include "vestige/trail/install.h"
#include "vestige/trail/row_history.h"

namespace vestige {

Result<Diff> diff(Database& db, const std::string& name, const std::vector<std::string>& words,
                  const Moment& from, const Moment& to) {
  TRY(require_trail(db));
  const Tracked table = TRY(tracked_table(db, name));
  Diff out;
  out.table = table.name;
  const RowName row = TRY(named_row(db, table, words));
  out.key = row.key;
  std::int64_t early = TRY(resolve(db, table, from));
  std::int64_t late = TRY(resolve(db, table, to));
  const bool turned = early > late;
  if (turned) std::swap(early, late);

  // The row that has the key at the later moment, and the same row before, under whatever key.
  State after = TRY(state_of(db, table, row, late));
  State before = after;
  if (after.has_value()) {
    auto history = TRY(row_history(db, table, row, late));
    while (auto change = TRY(history->next())) {
      if (change->id <= early) break;
      if (change->lost_values() && change->op != Op::insert)
        return not_known(fmt::format("diff {} {}", table.name, key_text(row)), *change);
      fold_backward(before, *change);
    }
  } else {
    before = TRY(state_of(db, table, row, early));
  }
  if (before.has_value())
    before = with_columns(*before, TRY(columns_at(db, table, turned ? to : from, early)));
  if (after.has_value())
    after = with_columns(*after, TRY(columns_at(db, table, turned ? from : to, late)));
  out.from = turned ? after : before;
  out.to = turned ? before : after;
  out.differences = difference(out.from, out.to);
  return out;
}

namespace {

// Both have the row, and each column that both of them have is the same in both.
bool same(const std::vector<Difference>& differences) {
  return std::all_of(differences.begin(), differences.end(), [](const Difference& one) {
    return !one.from.has_value() || !one.to.has_value();
  });
}

}  // namespace

Result<Diffs> Diffs::read(Database& db, const std::string& name, const Moment& from,
                          const Moment& to) {
  Diffs diffs;
  diffs.table_ = TRY(table_with_key(db, name));
  for (const Column& column : diffs.table_.shape.key()) diffs.key_.push_back(column.name);
  Instant early = {from};
  early.upto = TRY(resolve(db, diffs.table_, from));
  Instant late = {to};
  late.upto = TRY(resolve(db, diffs.table_, to));
  diffs.turned_ = early.upto > late.upto;
  if (diffs.turned_) std::swap(early, late);
  diffs.pairs_ = TRY(past_of(db)->between(diffs.table_, early, late));
  return diffs;
}

Result<std::optional<Diff>> Diffs::next() {
  while (auto pair = TRY(pairs_->next())) {
    if (turned_) std::swap(pair->early, pair->late);
    Diff diff;
    diff.differences = difference(pair->early, pair->late);
    const bool both = pair->early.has_value() && pair->late.has_value();
    if (diff.differences.empty() || (both && same(diff.differences))) continue;
    diff.table = table_.name;
    diff.key = with_columns(pair->late.has_value() ? *pair->late : *pair->early, key_);
    diff.from = std::move(pair->early);
    diff.to = std::move(pair->late);
    return std::optional(std::move(diff));
  }
  return std::optional<Diff>();
}

void DiffStat::add(const Diff& diff) {
  if (!diff.from.has_value()) ++added;
  else if (!diff.to.has_value()) ++removed;
  else {
    ++changed;
    for (const Difference& one : diff.differences)
      if (std::find(columns.begin(), columns.end(), one.column) == columns.end())
        columns.push_back(one.column);
  }
}

std::string to_json(const Diff& diff) {
  const auto state = [](const State& row) { return row.has_value() ? to_json(*row) : "null"; };
  std::string differences;
  for (const Difference& one : diff.differences) {
    if (!differences.empty()) differences += ',';
    differences += "{\"column\":" + text_json(one.column);
    if (one.from.has_value()) differences += ",\"from\":" + to_json(*one.from);
    if (one.to.has_value()) differences += ",\"to\":" + to_json(*one.to);
    differences += '}';
  }
  return fmt::format(R"({{"table":{},"key":{},"from":{},"to":{},"differences":[{}]}})",
                     text_json(diff.table), to_json(diff.key), state(diff.from), state(diff.to),
                     differences);
}

}  // namespace vestige
