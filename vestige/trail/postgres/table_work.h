// Work on many tables, one at a time and with a lock timeout; the contract stands in vestige/trail/table_work.h.
#pragma once

#include <string_view>
#include <vector>

#include "vestige/trail/table_work.h"

namespace vestige::postgres {

Result<std::vector<Undone>> table_by_table(Database& db, const TableWork& work,
                                           std::string_view lock_timeout);

/// Who has locks of a table or of a part of it, in words; "": nobody.
Result<std::string> holders_of(Database& db, const std::string& table);

}  // namespace vestige::postgres
