// Changes that are recorded and not yet in the heap of vestige.change. Rows that are written together cost half.
//
// Nobody can tell. They are written before a query begins that has to do with the trail, before a command that is no
// query, when they have become many, and before the transaction commits or is prepared; each as of the command that made
// it, in the partition that its moment belongs to when it is written. With a subtransaction that is rolled back go its own.
// Those of the transactions around it that were written in it are gone from the heap, too: they were kept, and wait again.
// Why: docs/decisions/0008.
//
// Before a transaction commits means before anybody else's part of it does, such as the transaction of postgres_fdw on another
// server: among what the server calls then, this is first (0016). It calls those first who came last. So rows wait only
// while a command of the session runs, and whenever a query or a command in it ends, this comes again; where no command
// runs, as in deferred triggers and while others commit, nothing waits.
#pragma once

#include "pgext/server.h"

namespace vestige::native {

/// Registers what writes in time. Once, when the module is loaded.
void watch_waiting();

/// Forms a row of kChange (partition.h), to be written later into the partition of its moment, which is at hand.
void wait(TimestampTz at, const Datum* values, const bool* nulls);

}  // namespace vestige::native
