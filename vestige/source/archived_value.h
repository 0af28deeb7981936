// Whether a value that an archive shows is the one that was sealed, from the two texts alone: SQLite seals what it shows, PostgreSQL what
// the type printed, of which JSON was made (docs/format.md, "Canonical bytes"). For archived_proof.cc.
#pragma once

#include <string_view>

namespace vestige {

/// shown    a token of changes.ndjson
/// sealed   a token of canonical bytes
bool shows(std::string_view shown, std::string_view sealed);

}  // namespace vestige
