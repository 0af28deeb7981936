// What capture needs to know of a table that fires: built once in a session from the trail's own account of the table
// (vestige.native_facts), kept until the table, its capture function or the trail changes.
#pragma once

#include "pgext/row_text.h"
#include "pgext/server.h"

namespace vestige::native {

struct Plan {
  MemoryContext memory;  // all of it
  Oid root;              // of a partition: the table that is tracked
  Oid portable;          // the function that the portable engine made for the table
  uint32 portable_hash;
  FmgrInfo portable_call;
  bool fits;  // else the portable function records: it knows every rare way
  int shape;
  bool whole;
  bool hides;  // some columns are redacted or encrypted
  bool requires_context;
  char* met;  // the context that met what is required; null: none yet
  int settings;
  Size large;  // so many bytes of values may be too many for a change: the portable function looks
  int count;   // of columns, in the order of the fields
  Column* columns;
  int last_attnum;
  int key_count;
  int* keys;       // places in `columns`, in key order
  uint64* nested;  // the last transaction in which the table was changed inside a trigger
};

/// Registers what keeps the plans true. Once, when the module is loaded.
void watch_plans();

/// The plan of a table that fired for the tracked table of that number. It stands until the transaction ends.
Plan* plan_for(Relation relation, int tracked);

/// Remembers that a context has what the table requires.
void remember_met(Plan* plan, const char* given);

}  // namespace vestige::native
