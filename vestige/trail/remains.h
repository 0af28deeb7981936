// Remains: a trail of which tables are missing, because a tool that did not know them dropped them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"

namespace vestige {

struct Remains {
  bool any = false;                  // something stands where a trail does
  bool ours = false;                 // and init made it
  bool tables = false;               // one of its tables does
  bool says_version = false;         // PostgreSQL: the one that has the version
  std::vector<std::string> missing;  // the tables that should stand and do not
};

/// What is left of a trail, whole or not.
Result<Remains> remains(Database& db);

/// The refusal of a trail that lacks tables.
tl::unexpected<Error> incomplete(const Database& db, const std::vector<std::string>& missing);

/// The tables that an installing script makes: the first group of a pattern of its lines.
std::vector<std::string> tables_made_by(std::string_view script, const char* pattern);

/// Those of `ours` that do not stand.
std::vector<std::string> missing_of(const std::vector<std::string>& ours,
                                    const std::vector<std::string>& standing);

}  // namespace vestige
