// What waits for being encrypted on SQLite, and how it is: capture writes values down as they are, since nothing can encrypt while a row
// is written, and the sequencer puts tokens in their place before it gives the change its entry
// (docs/decisions/0032-encrypted-columns.md). Test: test/cli/encrypt.txt, test/real/encrypt_twins.py.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "vestige/db/database.h"

namespace vestige::sqlite {

/// Encrypts what waits, and wipes it: overwritten where it stood, and the log of a database in WAL mode begun anew.
///
/// returns  the change up to which nothing waits any more; nothing where no table ever had an encrypted column
/// faults   missing (a class has no recipient), conflict
Result<std::optional<std::int64_t>> encrypt_waiting(Database& db);

/// Begins the log of writes of a database in WAL mode anew, as far as nobody reads what stands there, and remembers where that could
/// not be done: the next one to encrypt tries again.
///
/// returns  whether nothing of before is left in it
Result<bool> begin_log_anew(Database& db);

/// Whether it still has what was to be wiped.
Result<bool> log_has_more(Database& db);

/// How many changes wait, by table.
Result<std::map<std::int64_t, std::int64_t>> waiting_for_keys(Database& db);

}  // namespace vestige::sqlite
