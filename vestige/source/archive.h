// An archive as a source of changes: alone, where there is no database, or before what a database still has; one history. A part is
// opened only where its manifest says that it may hold the answer. Test: test/archive_past_test.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/source/manifest.h"

namespace vestige {

/// An archive of which no part was ever written: there is no such directory, and the trail records none. Whoever reads takes it for an
/// empty one.
Result<bool> not_there_yet(Database& db, const std::string& directory);

/// A database with an archive beside it: what the database let go by an EXPIRE is read from the archive, and what was erased of it
/// since is not shown; everything else is read from the database.
///
/// directory  as `vestige archive` made it
/// faults     missing (no such directory, and the trail records parts), corrupt (a manifest that cannot be read, a part that the database has no record of)
Result<std::unique_ptr<Database>> with_archive(std::unique_ptr<Database> db,
                                               const std::string& directory);

/// An archive that has no database.
///
/// faults   as with_archive; missing: there is nothing in it
Result<std::unique_ptr<Database>> archive_alone(const std::string& directory);

/// What between the parts of an archive, or before them, is in none: "entries 4 to 7".
std::vector<std::string> missing_in(const std::vector<ArchivePart>& parts);

}  // namespace vestige
