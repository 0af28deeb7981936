// Installing the trail in a database, and taking it away.
#pragma once

#include <cstdint>
#include <string_view>

#include "vestige/db/database.h"

namespace vestige {

inline constexpr std::int64_t kSchemaVersion = 1;

/// Installs the trail, or brings an older one up to date. Idempotent; one transaction.
///
/// returns  true when something was done, false when it stood already
/// faults   invalid (a newer trail than this vestige knows), conflict, denied
Result<bool> install(Database& db);

/// 0 when there is no trail.
Result<std::int64_t> installed_version(Database& db);

/// Whether the trail has a place for the evidence; install() gives it one.
Result<bool> has_evidence(Database& db);

/// faults   missing: the trail has none (hint: vestige init)
Result<void> require_evidence(Database& db);

/// faults   missing: the trail is older than what the sealer writes (hint: vestige init)
Result<void> require_sealing(Database& db);

/// Whether the trail keeps the cursors of those who follow it; install() sees to it.
Result<bool> has_cursors(Database& db);

/// faults   missing: it does not (hint: vestige init)
Result<void> require_cursors(Database& db);

/// Whether the guards let an erasure through; install() sees to it.
Result<bool> lets_erase(Database& db);

/// faults   missing: they do not (hint: vestige init)
Result<void> require_erasing(Database& db);

/// faults   missing: no trail here (hint: vestige init); invalid: a trail of another version
Result<void> require_trail(Database& db);

/// faults   invalid: SQLite; missing: the server has no native engine; denied: only a superuser may name it first, and take
///          it out
Result<void> require_engine(Database& db, std::string_view engine);

/// Makes the native engine's functions anew, where it is in the database and a superuser asks: those of an older release
/// stay otherwise. One transaction.
Result<void> renew_engine(Database& db);

/// Which engine records, on PostgreSQL: every table that is tracked, and those tracked from now on. One transaction; with
/// "portable" the module goes after it, a partition's indexes at a time: nothing in the database needs it then.
///
/// engine   "native" (C++, docs/native.md) or "portable"
/// returns  how many tables another engine recorded before
/// faults   as require_engine
Result<std::int64_t> use_engine(Database& db, std::string_view engine);

/// How many tables have capture triggers that record nothing, since they are not tracked here; 0 on SQLite.
Result<std::int64_t> idle_tables(Database& db);

/// How many changes the trail holds.
Result<std::int64_t> count_changes(Database& db);

/// Makes room ahead for changes to come: the next partitions on PostgreSQL, nothing on SQLite. One
/// transaction of its own; that the trail is in use all the time is no error, doctor says it.
Result<void> maintain(Database& db);

/// Takes away triggers, history and everything else that Vestige made. One transaction.
///
/// faults   denied: a hold is in force (hold.h)
Result<void> remove_trail(Database& db);

}  // namespace vestige
