#include "vestige/audit/verify_holds.h"

#include <algorithm>

#include "vestige/base/time.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/spelling.h"

namespace vestige {
namespace {

// Who takes something and who places a hold in the same minute need not have seen each other.
constexpr std::int64_t kMeanwhile = 60'000'000;
constexpr std::size_t kAtOnce = 1000;

// What an entry tells of its change.
bool stands_in_entry(const Condition& one) {
  return one.field == "table" || one.field == "op" || one.field == "id" || one.field == "tx" ||
         one.field == "since" || one.field == "until";
}

}  // namespace

Result<void> HoldCheck::load() {
  for (Hold& one : TRY(holds(db_))) {
    if (one.change == 0) continue;  // it stands in the table alone: nobody knows since when
    auto filter = parse_filter(one.filter, Now(0));
    Kept& kept = holds_.emplace_back();
    kept.hold = std::move(one);
    if (filter.has_value()) kept.filter = std::move(*filter);
  }
  if (holds_.empty()) return {};
  // Of a trail in which a table cannot be read each has the name that its changes have.
  auto names = HeldNames::of(db_);
  if (names.has_value()) names_ = std::move(*names);
  else if (names.error().fault == Fault::offline) return tl::unexpected<Error>(names.error());
  return erased();
}

// Parts of it went, and the change stands: what it has still is asked, too.
Result<void> HoldCheck::erased() {
  const Spelling trail = spelling_of(db_);
  std::map<std::int64_t, std::vector<std::int64_t>> by;  // by the change
  auto rows = TRY(db_.query(fmt::format(
      "select e.change, e.erased from {} as e where exists (select 1 from {} as c where c.id ="
      " e.change and c.op = 'E')",
      trail.table("erased"), trail.table("change"))));
  while (TRY(rows->next()) == Step::row) by[rows->integer(1)].push_back(rows->integer(0));
  rows.reset();
  for (auto next = by.begin(); next != by.end();) {
    Selection selection;
    selection.forgiving = true;
    for (; next != by.end() && selection.ids.size() < kAtOnce; ++next)
      selection.ids.push_back(next->first);
    auto changes = TRY(read_changes(db_, selection));
    while (const auto change = TRY(changes->next()))
      for (const std::int64_t one : by[change->id]) took(one, *change, true);
  }
  return {};
}

void HoldCheck::expired(std::int64_t by, const Entry& entry) {
  if (holds_.empty()) return;
  Change change;
  change.id = entry.id;
  change.tx = entry.tx;
  change.at = entry.at;
  change.table = names_.today(entry.table_id);
  if (change.table.empty()) change.table = entry.table;
  change.op = op_from_name(entry.op).value_or(Op::insert);
  took(by, change, false);
}

// whole   the change itself, and not what its entry tells
void HoldCheck::took(std::int64_t by, const Change& change, bool whole) {
  for (std::size_t place = 0; place < holds_.size(); ++place) {
    const auto& [hold, filter] = holds_[place];
    if (by < hold.change || (hold.released.has_value() && hold.released->change < by)) continue;
    const auto met = [&](const Condition& one) {
      if (one.field == "table" && names_.knows(change.table))
        return names_.had_name(one, change.table, by);
      return (whole ? can_tell(one, change) : stands_in_entry(one)) && matches(one, change, {});
    };
    if (filter.has_value() &&
        !std::all_of(filter->conditions.begin(), filter->conditions.end(), met))
      continue;
    Took& of = took_[{by, place}];
    if (of.changes++ == 0) of.first = change.id;
  }
}

Result<void> HoldCheck::finish(const TimeCheck& times) {
  for (const auto& [of, what] : took_) {
    const Hold& hold = holds_[of.second].hold;
    Selection selection;
    selection.ids = {of.first};
    selection.forgiving = true;
    const auto by = TRY(TRY(read_changes(db_, selection))->next());
    if (!by.has_value()) continue;
    // What says an earlier time than stands before it was not in the same minute with anything: the clock was set back.
    if (by->at < hold.at + kMeanwhile && times.bears_out(by->id, by->at)) continue;
    ++verdict_.discrepancies;
    TRY(sink_.found({.code = "taken-though-held",
                     .change = by->id,
                     .table = by->table,
                     .message = fmt::format(
                         "change {} ({}) took change {}{}, which hold {} for {} kept since {}",
                         by->id, name(by->op), what.first,
                         what.changes == 1 ? "" : fmt::format(" and {} more", what.changes - 1),
                         hold.id, text_json(hold.matter), format_time(hold.at))}));
  }
  return {};
}

}  // namespace vestige
