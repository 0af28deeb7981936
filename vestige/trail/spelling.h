// Spelling: how a database writes what its SQL says alike otherwise of the trail's own tables. Values, and no more.
#pragma once

#include <string>
#include <string_view>

#include "vestige/db/database.h"

namespace vestige {

struct Spelling {
  std::string_view prefix;  // of their names

  std::string table(std::string_view name) const { return std::string(prefix) + std::string(name); }
};

Spelling spelling_of(Database& db);

}  // namespace vestige
