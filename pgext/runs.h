// The index vestige_runs: which rows have a key, for keys in no order, such as hashes. It finds what equals a key, and
// nothing else; what it finds is looked at again, so it may name rows that are gone.
//
// Doc: docs/decisions/0007. A part is a run: the entries of some heap blocks, sorted, on pages in a row. A row that comes
// to a block which is closed already goes to the late pages, unsorted, which the next run takes in.
#pragma once

#include "pgext/heap_keys.h"
#include "pgext/index_page.h"

namespace vestige::native {

/// An entry as it stands on a page.
struct __attribute__((packed)) Stored {
  int64 key;
  uint16 block_high;
  uint16 block_low;
  uint16 offset;
};

constexpr uint32 kStoredOnPage = kRoom / sizeof(Stored);
constexpr BlockNumber kRunBlocks =
    1024;  // closed at once, where segment_blocks does not say otherwise

inline uint64 place_of(const Stored& entry) {
  return place_of(static_cast<BlockNumber>(entry.block_high) << 16 | entry.block_low, entry.offset);
}

/// Index access methods, as PostgreSQL's manual describes them.
IndexBuildResult* runs_build(Relation heap, Relation index, IndexInfo* info);
bool runs_insert(Relation index, Datum* values, bool* nulls, ItemPointer row, Relation heap,
                 IndexUniqueCheck unique,
#if PG_VERSION_NUM >= 140000
                 bool unchanged,
#endif
                 IndexInfo* info);
IndexBulkDeleteResult* runs_delete(IndexVacuumInfo* info, IndexBulkDeleteResult* stats,
                                   IndexBulkDeleteCallback dead, void* state);
IndexBulkDeleteResult* runs_cleanup(IndexVacuumInfo* info, IndexBulkDeleteResult* stats);
IndexScanDesc runs_begin(Relation index, int keys, int orders);
void runs_again(IndexScanDesc scan, ScanKey keys, int count, ScanKey orders, int order_count);
int64 runs_bitmap(IndexScanDesc scan, TIDBitmap* out);
void runs_end(IndexScanDesc scan);

/// Closes heap blocks up to `upto`, as far as whole segments go; nothing when somebody else is at it.
void close_run(Relation heap, Relation index, BlockNumber upto);

}  // namespace vestige::native
