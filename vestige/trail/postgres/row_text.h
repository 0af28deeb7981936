// Row text: a row as PostgreSQL prints a composite value, "(1,ink,,\"a b\")" (sql/postgres/install/read.sql,
// vestige.fields, says the same in SQL). Test: row_text_test.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vestige::postgres {

/// Its fields: nothing is null. False when the text is none.
bool read_row_text(std::string_view text, std::vector<std::optional<std::string>>& fields);

}  // namespace vestige::postgres
