// Names of tables on PostgreSQL: as people type them, and as the trail shows them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vestige/db/database.h"

namespace vestige::postgres {

/// One way to read what was typed; what is not there is empty.
struct Reading {
  std::string catalog;
  std::string schema;
  std::string table;
  bool operator==(const Reading&) const = default;
};

/// Every way to read it, the likeliest first: letter by letter, as the trail shows names, and as PostgreSQL reads
/// them, in its case and with its quotes.
std::vector<Reading> readings(const std::string& typed);

/// What vestige.shown_name() gave, taken apart; without a schema it is public.
Reading shown(const std::string& name);

/// The table, of the database or of its history, that a name means, as vestige.shown_name() has it. Without a schema
/// it is looked for along the caller's search path, then in public.
Result<std::optional<std::string>> meant_table(Database& db, const std::string& typed);

}  // namespace vestige::postgres
