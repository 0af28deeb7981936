// Retention: for how long changes are kept, by the classes that policies name (docs/retention.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/base/zone.h"
#include "vestige/db/database.h"

namespace vestige {

struct RetentionClass {
  std::string name;
  std::string keep;      // "7 years", "forever"
  std::string hot = {};  // of that in the database; "": all of it
  bool archive = false;  // nothing goes before an archive has it

  /// How long the database keeps them.
  const std::string& here() const { return archive && !hot.empty() ? hot : keep; }
  bool operator==(const RetentionClass&) const = default;
};

/// Puts a class into the trail, or gives it another time.
///
/// faults   missing (an older trail, that knows of no archives)
Result<void> put_retention(Database& db, const RetentionClass& one);

/// "7 years, of it 3 months in the database, then archived"
std::string described(const RetentionClass& one);

/// Every class, by name; those of an older trail, too.
Result<std::vector<RetentionClass>> retention_classes(Database& db);

/// "7 years" before a moment, by the calendar of a zone; nothing for "forever", and for what is no period.
std::optional<std::int64_t> kept_since(std::int64_t now, std::string_view keep,
                                       const TimeZone& zone);

/// Since when the database keeps what is of a class; nothing: always.
std::optional<std::int64_t> kept_here_since(std::int64_t now, const RetentionClass& one,
                                            const TimeZone& zone);

}  // namespace vestige
