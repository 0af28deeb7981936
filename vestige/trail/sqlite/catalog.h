// The catalog on SQLite: vestige_table and vestige_shape.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vestige/trail/catalog.h"

namespace vestige::sqlite {

/// See Source. A table whose policy or shape cannot be read has no shape: see listed_table.
///
/// readable   leaves out the shapes that cannot be read, for those who list changes; else they are a fault
Result<std::vector<Tracked>> read_tables(Database& db);
Result<std::vector<Shape>> read_shapes(Database& db, std::int64_t table, bool readable = false);
Result<std::optional<std::string>> find_table(Database& db, const std::string& typed);

/// The recorded columns of a shape, as vestige_shape keeps them.
std::string columns_json(const std::vector<Column>& columns);

}  // namespace vestige::sqlite
