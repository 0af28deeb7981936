// Installing on SQLite, for this wing: what makes a trail, and whether one is as this vestige makes it.
#pragma once

#include <string>

#include "vestige/db/database.h"

namespace vestige::sqlite {

/// The SQL that makes a trail: tables, views, guards.
std::string install_script();

/// Whether what is the same for all tables is recorded by triggers that they share, as
/// docs/decisions/0011-shared-capture.md has it. Older trails are read as they are.
Result<bool> captures_shared(Database& db);

/// Whether capture says in which blocks of changes an actor stands (sql/sqlite/who.sql). In older trails all are looked at.
Result<bool> finds_who(Database& db);

/// faults   missing: no trail, or one whose capture `vestige init` has yet to bring up to date
Result<void> require_capture(Database& db);

}  // namespace vestige::sqlite
