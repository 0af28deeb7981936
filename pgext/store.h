// The trail's own tables, and the one place that knows what stands in their columns (sql/postgres/install/store.sql).
#pragma once

#include "pgext/server.h"

namespace vestige::native {

/// One change, as it is written down. Texts may be null.
struct Change {
  TimestampTz at;
  int64 context;
  int tracked;
  int shape;
  char op;
  text* key;
  text* old_row;
  text* new_row;
};

/// Registers what keeps the knowledge of the tables true. Once, when the module is loaded.
void watch_store();

/// The time and the id of the next change, taken together when everything that it may have to wait for is there. False
/// where only the portable engine can write it.
bool draw(TimestampTz* at, int64* id);

/// Records a change whose time and id were drawn. It may wait (waiting.h).
void write_change(int64 id, const Change& change);

/// The id of the context that stands in this transaction, for the change of that id: begun if none does.
int64 context_of(int64 change);

/// What the session said of its context; "" for nothing.
const char* given_context();

/// Whether context_of can answer; else only the portable engine can.
bool context_ready();

/// The transaction, which has a number from here on.
uint64 this_transaction();

/// The portable engine is about to write: what was known of this transaction's context may not be all.
void record_elsewhere();

}  // namespace vestige::native
