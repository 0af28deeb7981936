// Spelling: how a database writes what its SQL says alike otherwise of the trail's own tables. Values, and no more.
#pragma once

#include <string>
#include <string_view>

#include "vestige/db/database.h"

namespace vestige {

struct Spelling {
  std::string_view prefix;         // of their names
  std::string_view micros;         // what their `at` is in microseconds
  std::string_view from_micros;    // what ?2, in microseconds, is as such an `at`
  std::string_view begin_reading;  // a transaction that only reads, and sees one moment

  std::string table(std::string_view name) const { return std::string(prefix) + std::string(name); }
};

Spelling spelling_of(Database& db);

}  // namespace vestige
