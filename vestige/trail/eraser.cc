#include "vestige/trail/eraser.h"

#include "vestige/trail/spelling.h"

namespace vestige {
namespace {

// With contexts that goes further than what was asked for.
Result<std::vector<std::int64_t>> named_by(Database& db, const std::vector<std::int64_t>& erases) {
  std::vector<std::int64_t> out;
  for (const std::int64_t number : erases) {
    auto rows = TRY(db.query(
        "select erased from " + spelling_of(db).table("erased") + " where change = ?1", {number}));
    while (TRY(rows->next()) == Step::row) out.push_back(rows->integer(0));
  }
  return out;
}

}  // namespace

Result<void> Eraser::ask_holds(const std::vector<std::int64_t>& ids, bool contexts) {
  held_ = TRY(vestige::held(db_, ids, contexts));
  if (!held_.has_value()) held_ = TRY(held_there(ids));
  if (held_.has_value()) return held_back("erase", *held_);
  return {};
}

Result<std::vector<std::int64_t>> Eraser::take(const std::vector<std::int64_t>& ids,
                                               const ErasedParts& parts, const Context& context) {
  TRY(ask_holds(ids, parts.contexts));
  const ToldAlerts told = TRY(told_alerts(db_, ids));
  if (!told.changes.empty()) TRY(ask_holds(told.changes, false));
  const std::int64_t silent = TRY(silent_alerts(db_));
  auto by = TRY(take_unheld(ids, parts, context));
  std::vector<std::int64_t> taken = TRY(named_by(db_, by));
  taken.insert(taken.end(), ids.begin(), ids.end());
  const ToldAlerts left = TRY(told_alerts(db_, taken));
  if (!left.changes.empty()) TRY(ask_holds(left.changes, false));
  if (!left.ids.empty())
    if (const auto number = TRY(take_told(left, context)); number.has_value())
      by.push_back(*number);
  told_ = TRY(silent_alerts(db_)) - silent;
  return by;
}

}  // namespace vestige
