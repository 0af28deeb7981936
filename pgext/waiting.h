// Changes that are recorded and not yet in the heap of vestige.change. Rows that are written together cost half.
//
// Nobody can tell. They are written before a query begins that has to do with the trail, before a command that is no
// query, when they have become many, and before the transaction commits or is prepared; each as of the command that made
// it. With a subtransaction that is rolled back go its own. Those of the transactions around it that were written in it are
// gone from the heap, too: they were kept, and wait again. Why: docs/decisions/0008.
#pragma once

#include "pgext/table.h"

namespace vestige::native {

/// Registers what writes in time. Once, when the module is loaded.
void watch_waiting();

/// Where recorded rows belong.
struct Place {
  Table* table;
  Oid root;  // the partitioned table that it is of; may be InvalidOid
};

/// Forms a row of the place, to be written later. Of one place at a time: before another one, write_waiting.
void wait(const Place& place, int count, const Datum* values, const bool* nulls);

/// Writes what waits.
void write_waiting();

}  // namespace vestige::native
