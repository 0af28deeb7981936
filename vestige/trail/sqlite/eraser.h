// Erasing on SQLite, for this wing.
#pragma once

#include <cstdint>

#include "vestige/db/database.h"

namespace vestige::sqlite {

/// Writes zeros over the salts of what an ERASE names. PostgreSQL has this in SQL (vestige.forget_salts).
Result<void> forget_salts(Database& db, std::int64_t erase);

}  // namespace vestige::sqlite
