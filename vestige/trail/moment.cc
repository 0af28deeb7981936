#include "vestige/trail/moment.h"

#include "vestige/base/time.h"
#include "vestige/trail/expiry.h"
#include "vestige/trail/row_history.h"

namespace vestige {

Result<std::int64_t> resolve(Database& db, const Moment& moment) {
  switch (moment.kind) {
    case Moment::Kind::now: return kNow;
    case Moment::Kind::time: return last_change_at(db, moment.value);
    case Moment::Kind::change: break;
  }
  if (moment.value == 0) return 0;
  Selection selection;
  selection.ids = {moment.value};
  if (TRY(TRY(read_changes(db, selection))->next()).has_value()) return moment.value;
  if (const auto by = TRY(expiry_of(db, moment.value)); by.has_value())
    return has_expired(fmt::format("find change {}", moment.value), *by);
  return hinted(fail(Fault::missing, "find change {}: no such change", moment.value),
                "vestige log lists them");
}

Result<std::int64_t> resolve(Database& db, const Tracked& table, const Moment& moment) {
  if (moment.kind == Moment::Kind::now) return resolve(db, moment);
  const auto furthest = TRY(horizon_of(db, table.id));
  if (furthest.has_value() && (moment.kind == Moment::Kind::time ? moment.value < furthest->horizon
                                                                 : moment.value < furthest->last))
    return has_expired(
        fmt::format("read {} at {}", table.name,
                    moment.kind == Moment::Kind::time ? format_time(moment.value)
                                                      : fmt::format("change {}", moment.value)),
        *furthest);
  return resolve(db, moment);
}

Result<std::vector<std::string>> columns_at(Database& db, const Tracked& table,
                                            const Moment& moment, std::int64_t upto) {
  const auto all = TRY(shapes(db, table.id));
  const Shape* chosen = &all.front();
  for (const Shape& shape : all) {
    const bool in_force = moment.kind == Moment::Kind::time
                              ? shape.at <= moment.value
                              : moment.kind == Moment::Kind::now || shape.since < upto;
    if (in_force) chosen = &shape;
  }
  return shown_names(*chosen, table.shape);
}

}  // namespace vestige
