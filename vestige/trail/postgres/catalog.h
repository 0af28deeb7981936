// The catalog on PostgreSQL: vestige.tracked and vestige.shape.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/record/change.h"
#include "vestige/trail/catalog.h"

namespace vestige::postgres {

/// See Source. All tables, or the one of an id.
Result<std::vector<Tracked>> read_tables(Database& db, std::optional<std::int64_t> id = {});
Result<std::vector<Shape>> read_shapes(Database& db, std::int64_t table);

/// An object whose values stay the tokens that they are, strings apart: no digit of a number is lost.
///
/// faults   corrupt: not an object
Result<Row> row_of_tokens(std::string_view text);

}  // namespace vestige::postgres
