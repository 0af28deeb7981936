// The server's headers, here and nowhere else.
//
// PostgreSQL is C with its own macros for printf and the like, so the standard library's headers stand before it.
#pragma once

#include <cstdint>
#include <cstring>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wregister"
// ICU without its part in C++; before 15 the server's headers do not say so themselves.
#define U_SHOW_CPLUSPLUS_API 0
extern "C" {
#include <postgres.h>
// After postgres.h.
#include <access/amapi.h>
#include <access/detoast.h>
#include <access/genam.h>
#include <access/generic_xlog.h>
#include <access/heapam.h>
#include <access/htup_details.h>
#include <access/itup.h>
#include <access/relation.h>
#include <access/reloptions.h>
#include <access/relscan.h>
#include <access/skey.h>
#include <access/stratnum.h>
#include <access/table.h>
#include <access/tableam.h>
#include <access/xact.h>
#include <access/xlog.h>
#include <access/xloginsert.h>
#include <catalog/index.h>
#include <catalog/namespace.h>
#include <catalog/partition.h>
#include <catalog/pg_am.h>
#include <catalog/pg_amop.h>
#include <catalog/pg_collation.h>
#include <catalog/pg_opclass.h>
#include <catalog/pg_sequence.h>
#include <catalog/pg_trigger.h>
#include <catalog/pg_type.h>
#include <commands/sequence.h>
#include <commands/trigger.h>
#include <executor/executor.h>
#include <fmgr.h>
#include <lib/stringinfo.h>
#include <mb/pg_wchar.h>
#include <miscadmin.h>
#include <nodes/execnodes.h>
#include <nodes/pathnodes.h>
#include <nodes/tidbitmap.h>
#include <optimizer/cost.h>
#include <optimizer/optimizer.h>
#include <parser/parse_func.h>
#include <partitioning/partbounds.h>
#include <partitioning/partdesc.h>
#include <pgstat.h>
#include <pgtime.h>
#include <storage/bufmgr.h>
#include <storage/bufpage.h>
#include <storage/lmgr.h>
#include <storage/predicate.h>
#include <tcop/pquery.h>
#include <tcop/utility.h>
#include <utils/array.h>
#include <utils/builtins.h>
#include <utils/bytea.h>
#include <utils/catcache.h>
#include <utils/date.h>
#include <utils/datetime.h>
#include <utils/datum.h>
#include <utils/float.h>
#include <utils/fmgroids.h>
#include <utils/fmgrprotos.h>
#include <utils/guc.h>
#include <utils/hsearch.h>
#include <utils/inval.h>
#include <utils/lsyscache.h>
#include <utils/memutils.h>
#include <utils/partcache.h>
#include <utils/pg_locale.h>
#include <utils/rel.h>
#include <utils/relcache.h>
#include <utils/resowner.h>
#include <utils/selfuncs.h>
#include <utils/snapmgr.h>
#include <utils/syscache.h>
#include <utils/timestamp.h>
#include <utils/xid8.h>
}
#pragma GCC diagnostic pop
