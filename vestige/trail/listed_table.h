// Tables of which not all can be read, for those who list changes. Test: test/damaged_rows_test.cc.
#pragma once

#include <string>

#include "vestige/trail/catalog.h"

namespace vestige {

/// The tracked table that a person means, as tracked_table finds it, though its policy or its shape cannot be read: it has no shape
/// then. Its changes can be listed all the same; who acts on it, or counts on all tables, is refused by tracked_table and tracked_tables.
Result<Tracked> listed_table(Database& db, const std::string& typed);

/// corrupt, where its policy or its shape cannot be read
Result<void> require_readable(const Tracked& table);

}  // namespace vestige
