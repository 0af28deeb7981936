// The handlers of the two index access methods, and what they have in common: options, what they refuse, costs.
#pragma once

#include "pgext/index_page.h"

namespace vestige::native {

/// Registers the option segment_blocks. Once, when the module is loaded.
void define_index_options();

/// How many heap blocks are closed at once.
BlockNumber segment_blocks(Relation index, BlockNumber otherwise);

/// How many blocks at the end of the heap are left open beyond those, because writers may still be filling them.
inline BlockNumber slack(BlockNumber segment) { return segment / 8 + 1; }

/// Raises when an index is another than these answer for: one over a plain column of type bigint, or a domain over it, by
/// the operators of bigint, for all rows, in ascending order with nulls last, and no constraint.
void refuse_unfit(Relation index, IndexInfo* info);

/// Raises when a condition is not one of bigint's own operators: a family of operators may have got others later.
void refuse_unknown(Relation index, const ScanKeyData& condition);

/// The heap of an index, open; `heap_done` closes it.
Relation heap_of(Relation index);
inline void heap_done(Relation heap) { table_close(heap, AccessShareLock); }

/// The end of a VACUUM: closes what can be closed, and tells how large the index is.
IndexBulkDeleteResult* tidied(IndexVacuumInfo* info, IndexBulkDeleteResult* stats,
                              BlockNumber segment,
                              void (*close)(Relation heap, Relation index, BlockNumber upto));

/// Begins a scan with a search of its own kind, zeroed, which has a `memory` for what it reads.
template <typename Search>
IndexScanDesc begin_scan(Relation index, int keys, int orders) {
  IndexScanDesc scan = RelationGetIndexScan(index, keys, orders);
  auto* search = static_cast<Search*>(palloc0(sizeof(Search)));
  search->memory =
      AllocSetContextCreate(CurrentMemoryContext, "vestige search", ALLOCSET_DEFAULT_SIZES);
  scan->opaque = search;
  return scan;
}

/// Takes the keys that a scan begins again with; null: those it had.
inline void take_keys(IndexScanDesc scan, const ScanKeyData* keys) {
  if (keys != nullptr && scan->numberOfKeys > 0)
    std::memmove(scan->keyData, keys,
                 sizeof(ScanKeyData) * static_cast<size_t>(scan->numberOfKeys));
}

/// Counts a search, as every index does: idx_scan of pg_stat_user_indexes, and what EXPLAIN ANALYZE says.
inline void count_search(IndexScanDesc scan) {
  pgstat_count_index_scan(scan->indexRelation);
#if PG_VERSION_NUM >= 180000
  if (scan->instrument != nullptr) ++scan->instrument->nsearches;
#endif
}

IndexAmRoutine* runs_method();
IndexAmRoutine* order_method();

}  // namespace vestige::native
