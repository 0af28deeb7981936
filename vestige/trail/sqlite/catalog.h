// The catalog on SQLite: vestige_table and vestige_shape.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vestige/trail/catalog.h"

namespace vestige::sqlite {

/// See Source.
Result<std::vector<Tracked>> read_tables(Database& db);
Result<std::vector<Shape>> read_shapes(Database& db, std::int64_t table);
Result<std::optional<std::string>> find_table(Database& db, const std::string& typed);

/// The recorded columns of a shape, as vestige_shape keeps them.
std::string columns_json(const std::vector<Column>& columns);

}  // namespace vestige::sqlite
