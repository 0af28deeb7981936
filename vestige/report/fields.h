// Fields: what stands in a change under a name, for reports that group, sum and list by names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vestige/base/zone.h"
#include "vestige/report/report.h"

namespace vestige {

/// The key in words: "id=1", or "id=1 → id=2" where it changed.
std::string key_shown(const Change& change);

/// By how much an UPDATE changed a column of numbers, exactly; nothing where it did not.
std::optional<std::string> difference(const Change& change, const std::string& column);

/// Refuses a name that stands for nothing: it is time, day, month, hour, change, tx, op, table, key, who, db_user, entry, a field of
/// the context (context.NAME for those that have no name of their own), or old.COLUMN, new.COLUMN, key.COLUMN, delta.COLUMN.
///
/// faults   invalid
Result<void> require_report_field(std::string_view name);

/// What stands there; nothing where there is nothing.
Cell report_field(const Change& change, std::string_view name, const TimeZone& zone);

CellKind kind_of_field(std::string_view name);

}  // namespace vestige
