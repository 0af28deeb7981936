#include "vestige/trail/track.h"

#include "vestige/base/letters.h"
#include "vestige/base/number.h"
#include "vestige/record/change.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/tracking.h"

namespace vestige {

Result<std::vector<std::string>> trackable_tables(Database& db) {
  return tracking_of(db)->trackable();
}

const std::string* LiveTable::find(const std::string& column) const {
  for (const std::string& own : columns)
    if (own == column) return &own;
  for (const std::string& own : columns)
    if (lower(own) == lower(column)) return &own;
  return nullptr;
}

Result<LiveTable> live_table(Database& db, const std::string& name) {
  return tracking_of(db)->live(name);
}

Result<Tracked> track(Database& db, const std::string& table, const Policy& policy) {
  return tracking_of(db)->track(table, policy);
}

Result<std::int64_t> baseline(Database& db, const Tracked& table) {
  return tracking_of(db)->baseline(table);
}

Result<void> untrack(Database& db, const std::string& table) {
  return tracking_of(db)->untrack(table);
}

Result<Tracked> own_table(Database& db, std::string_view name) {
  return tracking_of(db)->own(name);
}

Result<std::optional<Tracked>> known_own_table(Database& db, std::string_view name) {
  for (Tracked& one : TRY(tracked_tables(db)))
    if (one.name == spelling_of(db).table(name)) return std::optional(std::move(one));
  return std::optional<Tracked>();
}

std::optional<std::int64_t> own_row_id(const Change& change) {
  return change.key.size() == 1 ? whole_number<std::int64_t>(to_display(change.key.front().value))
                                : std::nullopt;
}

bool is_own_table(Database& db, std::string_view table) {
  return table.starts_with(spelling_of(db).prefix);
}

Result<std::vector<Undone>> table_by_table(Database& db, const TableWork& work,
                                           std::string_view lock_timeout) {
  return tracking_of(db)->table_by_table(work, lock_timeout);
}

Error explained(Database& db, const Error& error, const Attempted& attempted) {
  return tracking_of(db)->explained(error, attempted);
}

}  // namespace vestige
