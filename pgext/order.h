// The index vestige_order: rows by a key that rises, nearly, as the heap grows, such as an id. It keeps, for every closed
// heap block, the least and the greatest key in it, and reads the rest from the blocks: exact, ordered, both ways.
//
// Doc: docs/decisions/0007. A part is a page of such ranges, for kBlocksOnPage heap blocks. A row that comes to a block
// which is closed already makes its range wider. A null counts as the greatest key.
#pragma once

#include "pgext/heap_keys.h"
#include "pgext/index_page.h"

namespace vestige::native {

/// The keys of a heap block: none when `least` is greater than `most`.
struct Range {
  int64 least;
  int64 most;
};

constexpr uint32 kBlocksOnPage = kRoom / sizeof(Range);
constexpr BlockNumber kOrderBlocks =
    128;  // closed at once, where segment_blocks does not say otherwise
constexpr Range kNoKeys = {PG_INT64_MAX, PG_INT64_MIN};
constexpr int64 kNullKey = PG_INT64_MAX;

inline void widen(Range* range, int64 key) {
  if (key < range->least) range->least = key;
  if (key > range->most) range->most = key;
}
inline bool overlap(const Range& a, const Range& b) {
  return a.least <= b.most && b.least <= a.most && a.least <= a.most;
}

/// The range of a heap block, from the block itself.
Range range_of(const Keyed& table, BlockNumber block);

/// Index access methods, as PostgreSQL's manual describes them.
IndexBuildResult* order_build(Relation heap, Relation index, IndexInfo* info);
bool order_insert(Relation index, Datum* values, bool* nulls, ItemPointer row, Relation heap,
                  IndexUniqueCheck unique,
#if PG_VERSION_NUM >= 140000
                  bool unchanged,
#endif
                  IndexInfo* info);
IndexBulkDeleteResult* order_delete(IndexVacuumInfo* info, IndexBulkDeleteResult* stats,
                                    IndexBulkDeleteCallback dead, void* state);
IndexBulkDeleteResult* order_cleanup(IndexVacuumInfo* info, IndexBulkDeleteResult* stats);
IndexScanDesc order_begin(Relation index, int keys, int orders);
void order_again(IndexScanDesc scan, ScanKey keys, int count, ScanKey orders, int order_count);
bool order_next(IndexScanDesc scan, ScanDirection direction);
int64 order_bitmap(IndexScanDesc scan, TIDBitmap* out);
void order_end(IndexScanDesc scan);

/// Closes heap blocks up to `upto`, as far as whole segments go; nothing when somebody else is at it.
void close_order(Relation heap, Relation index, BlockNumber upto);

}  // namespace vestige::native
