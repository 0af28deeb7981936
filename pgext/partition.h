// The partitions of vestige.change: which one a moment belongs to, by the bounds that stand when it is asked.
//
// Nothing is kept about a row's partition but the row's moment: a partition may end, be made, and be gone again with a
// subtransaction, while rows wait (waiting.h).
#pragma once

#include "pgext/table.h"

namespace vestige::native {

/// What a change's row is given, in the order of the columns in sql/postgres/install/store.sql.
constexpr Field kChange[] = {{"id", INT8OID},      {"at", TIMESTAMPTZOID}, {"xid", XID8OID},
                             {"context", INT8OID}, {"key_hash", INT8OID},  {"tracked", INT4OID},
                             {"shape", INT4OID},   {"op", CHAROID},        {"key", TEXTOID},
                             {"new_key", TEXTOID}, {"old_row", TEXTOID},   {"new_row", TEXTOID},
                             {"room", INT2OID}};
constexpr int kChangeFields = sizeof(kChange) / sizeof(kChange[0]);

/// Registers what keeps the knowledge of the trail true. Once, when the module is loaded.
void watch_partitions();

/// Locks vestige.change for the transaction. Before anything else of the trail is read: in the order in which the
/// install script locks, so that neither waits for the other.
void lock_trail();

/// vestige.change, and the trail's sequence; InvalidOid where there is none.
Oid change_root();
Oid change_sequence();

/// vestige.context.
Table* context_table();

/// vestige.encrypted_key. In a trail that is older than this module its oid is InvalidOid.
Table* wrap_table();

/// Whether a row of that moment can be written without waiting for anybody: its partition is the one that was used
/// last, and everything is locked.
bool at_hand(TimestampTz at);

/// Chooses the partition of a moment for a change that is to be recorded, and locks it; that may mean to wait. False
/// where only the portable engine can write there.
bool choose(TimestampTz at);

/// The partition that at_hand and choose speak of.
Oid chosen();

/// The partition of a moment, for rows that were recorded in this transaction. Raises where there is none.
Table* partition_of(TimestampTz at);

/// Whether a moment belongs to the partition that was asked for last.
bool same_partition(TimestampTz at);

}  // namespace vestige::native
