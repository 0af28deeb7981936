// The trail on PostgreSQL: what sql/postgres/install.sql gives, as the records of this floor. The functions
// of install.h, catalog.h, track.h, changes.h and context.h come here when the database is PostgreSQL.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/change.h"
#include "vestige/record/policy.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/contexts.h"
#include "vestige/trail/installation.h"
#include "vestige/trail/sqlite/live_table.h"

namespace vestige::postgres {

std::unique_ptr<Installation> installation(Database& db);
std::unique_ptr<Contexts> contexts(Database& db);

Result<std::vector<Tracked>> tracked_tables(Database& db);
Result<std::vector<std::string>> gaps(Database& db, std::int64_t table, std::int64_t upto);
Result<std::vector<Shape>> shapes(Database& db, std::int64_t table);
Result<std::vector<std::string>> trackable_tables(Database& db);
/// Name, columns, generated or not, and primary key; the rest of a LiveTable says nothing here.
///
/// faults   missing: no such table
Result<LiveTable> live_table(Database& db, const std::string& name);
Result<Tracked> track(Database& db, const std::string& table, const Policy& policy);
/// Why the work on a table waited in vain: who holds it.
Result<Error> held(Database& db, const std::string& table, const Error& why);
Result<std::int64_t> baseline(Database& db, std::int64_t table);
Result<void> untrack(Database& db, const std::string& table);

Result<std::unique_ptr<Changes>> read_changes(Database& db, const Selection& selection);
Result<std::vector<std::int64_t>> change_ids(Database& db, const Selection& selection);
Result<std::unique_ptr<Changes>> key_changes(Database& db, std::int64_t table, const Row& key,
                                             std::int64_t after, std::int64_t upto,
                                             bool oldest_first);
Result<std::int64_t> last_change_at(Database& db, std::int64_t micros);
/// The key that words name, one word for each key column, with the types of the columns.
///
/// faults   invalid: a word that is no value of its column's type
Result<Row> typed_key(Database& db, const Tracked& table, const std::vector<std::string>& words);
Result<std::optional<Row>> live_row(Database& db, const Tracked& table, const Row& key);

/// An object whose values stay the tokens that they are, strings apart: no digit of a number is lost.
///
/// faults   corrupt: not an object
Result<Row> row_of_tokens(std::string_view text);

}  // namespace vestige::postgres
