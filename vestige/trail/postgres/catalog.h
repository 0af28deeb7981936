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

/// See Source. All tables, or the one of an id. A table whose policy or shape cannot be read has no shape: see listed_table.
///
/// readable   leaves out the shapes that cannot be read, for those who list changes; else they are a fault
Result<std::vector<Tracked>> read_tables(Database& db, std::optional<std::int64_t> id = {});
Result<std::vector<Shape>> read_shapes(Database& db, std::int64_t table, bool readable = false);

/// Whether the trail has a function, by its name alone or with the types of its arguments, "capture_native()": an older one may not.
Result<bool> has_function(Database& db, const std::string& function);

/// An object whose values stay the tokens that they are, strings apart: no digit of a number is lost.
///
/// faults   corrupt: not an object
Result<Row> row_of_tokens(std::string_view text);

}  // namespace vestige::postgres
