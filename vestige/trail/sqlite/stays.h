// Stays: under which keys a row was, and between which changes. A row is followed through changed keys both ways.
// Test: test/capture_history_test.cc.
#pragma once

#include <cstdint>
#include <string>

#include "vestige/db/database.h"
#include "vestige/trail/selection.h"

namespace vestige::sqlite {

/// A SELECT of the ids of the changes under a stored key, in no order. It ends in a WHERE clause, so that " and id > …" can
/// follow.
///
/// table, key   SQL (parameters) of vestige_table.id and of the stored key
/// cost         as row_changes; a scan of the trail where the key is one column, and null
std::string ids_under(const Value& stored, const std::string& table, const std::string& key);

/// Adds the condition that a change, as c, is one of a row, under whatever key it was then.
Result<void> select_row(Database& db, std::int64_t table, const Row& key, Where& where);

}  // namespace vestige::sqlite
