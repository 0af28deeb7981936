// Searching by order: blocks whose ranges may have a row come first as ranges, then, when it is their turn, as rows.
#include <algorithm>

#include "pgext/index_method.h"
#include "pgext/order.h"

namespace vestige::native {
namespace {

enum class Kind : uint16 { part, block, row };

// Something that has keys from `key` on, in the direction of the search: a part, a block, or one row.
struct Item {
  int64 key;
  uint64 place;  // of a row; the number of a part or block
  Kind kind;
};

struct Search {
  MemoryContext memory;  // what is known of the index: true for all keys of a snapshot
  const First* first;
  const Part* parts;
  Range* tail;  // the ranges of the blocks that are open
  BlockNumber blocks;
  // A search for rows in order.
  bool begun;
  bool backward;
  Range wanted;
  Item* items;  // a heap: what comes next is on top
  size_t count;
  size_t room;
  bool given;
  Item last;
};

// What conditions leave of all keys. `key op value`, by the numbers of a btree's operators.
void narrow(Range* range, StrategyNumber op, int64 value) {
  const bool nothing = (op == BTLessStrategyNumber && value == PG_INT64_MIN) ||
                       (op == BTGreaterStrategyNumber && value == PG_INT64_MAX);
  if (nothing) {
    *range = kNoKeys;
    return;
  }
  if (op == BTLessStrategyNumber) range->most = Min(range->most, value - 1);
  if (op == BTGreaterStrategyNumber) range->least = Max(range->least, value + 1);
  if (op == BTLessEqualStrategyNumber || op == BTEqualStrategyNumber)
    range->most = Min(range->most, value);
  if (op == BTGreaterEqualStrategyNumber || op == BTEqualStrategyNumber)
    range->least = Max(range->least, value);
}

int64 argument_of(const ScanKeyData& key) {
  if (key.sk_subtype == INT4OID) return DatumGetInt32(key.sk_argument);
  if (key.sk_subtype == INT2OID) return DatumGetInt16(key.sk_argument);
  return DatumGetInt64(key.sk_argument);
}

Range wanted(IndexScanDesc scan) {
  Range range = {PG_INT64_MIN, PG_INT64_MAX};
  for (int i = 0; i < scan->numberOfKeys; ++i) {
    if ((scan->keyData[i].sk_flags & SK_ISNULL) != 0) return kNoKeys;
    refuse_unknown(scan->indexRelation, scan->keyData[i]);
    narrow(&range, scan->keyData[i].sk_strategy, argument_of(scan->keyData[i]));
  }
  return range;
}

void lock_for_serializable(IndexScanDesc scan, const Range& range) {
  if (range.least == range.most) {
    PredicateLockPage(scan->indexRelation, bucket_of(range.least), scan->xs_snapshot);
  } else {
    PredicateLockRelation(scan->indexRelation, scan->xs_snapshot);
  }
}

void begin_search(IndexScanDesc scan, Search* search, Relation heap) {
  if (search->first != nullptr && IsMVCCSnapshot(scan->xs_snapshot)) return;
  MemoryContextReset(search->memory);
  MemoryContext before = MemoryContextSwitchTo(search->memory);
  search->first = read_first(scan->indexRelation);
  search->parts = read_parts(scan->indexRelation, search->first);
  search->blocks = RelationGetNumberOfBlocks(heap);
  const BlockNumber closed = search->first->closed;
  const BlockNumber open = search->blocks > closed ? search->blocks - closed : 0;
  search->tail = static_cast<Range*>(
      MemoryContextAllocHuge(search->memory, sizeof(Range) * (static_cast<Size>(open) + 1)));
  const Keyed table = keyed(heap, scan->indexRelation);
  for (BlockNumber i = 0; i < open; ++i) {
    CHECK_FOR_INTERRUPTS();
    search->tail[i] = range_of(table, closed + i);
  }
  MemoryContextSwitchTo(before);
}

// The ranges of a part's blocks that the search knew of.
uint32 read_ranges(Relation index, const Search* search, uint32 part, Range* out) {
  const uint64 before = uint64{part} * kBlocksOnPage;
  if (before >= search->first->closed) corrupted(index, kFirstPage);
  const auto count =
      static_cast<uint32>(Min(uint64{kBlocksOnPage}, search->first->closed - before));
  Buffer buffer = read_page(index, search->parts[part].page);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  std::memcpy(out, checked_items<Range>(index, buffer, PageKind::blocks, count),
              sizeof(Range) * count);
  UnlockReleaseBuffer(buffer);
  return count;
}

// Adds the rows of a block that a range has; the whole block where it has all of it.
int64 add_block(const Keyed& table, BlockNumber block, const Range& has, const Range& range,
                TIDBitmap* out) {
  if (range.least <= has.least && has.most <= range.most) {
    tbm_add_page(out, block);
    return MaxHeapTuplesPerPage / 4;
  }
  Entry entries[kMostInBlock];
  const int count = read_block(table, block, &kNullKey, entries);
  int64 added = 0;
  for (int i = 0; i < count; ++i) {
    if (entries[i].key < range.least || entries[i].key > range.most) continue;
    ItemPointerData pointer = pointer_of(entries[i].place);
    tbm_add_tuples(out, &pointer, 1, true);
    ++added;
  }
  return added;
}

// What is on top comes first.
bool later(const Item& a, const Item& b, bool backward) {
  if (a.key != b.key) return backward ? a.key < b.key : a.key > b.key;
  // Of the same key: what may have rows of it before any row; then the same row side by side.
  if (a.kind != b.kind) return a.kind > b.kind;
  // A null comes after the greatest number.
  if (is_null(a.place) != is_null(b.place)) return is_null(a.place) != backward;
  return a.place > b.place;
}

void push(Search* search, const Item& item) {
  if (search->count == search->room) {
    search->room *= 2;
    search->items = static_cast<Item*>(repalloc_huge(search->items, sizeof(Item) * search->room));
  }
  search->items[search->count++] = item;
  std::push_heap(search->items, search->items + search->count,
                 [=](const Item& a, const Item& b) { return later(a, b, search->backward); });
}

Item pop(Search* search) {
  std::pop_heap(search->items, search->items + search->count,
                [=](const Item& a, const Item& b) { return later(a, b, search->backward); });
  return search->items[--search->count];
}

void push_range(Search* search, Kind kind, uint64 place, const Range& range) {
  if (overlap(range, search->wanted))
    push(search, {search->backward ? range.most : range.least, place, kind});
}

void begin_rows(IndexScanDesc scan, Search* search, bool backward) {
  Relation heap = heap_of(scan->indexRelation);
  count_search(scan);
  search->begun = true;
  search->given = false;
  search->backward = backward;
  search->wanted = wanted(scan);
  search->count = 0;
  if (search->items == nullptr) {
    search->room = 1024;
    search->items = static_cast<Item*>(
        MemoryContextAlloc(GetMemoryChunkContext(search), sizeof(Item) * search->room));
  }
  lock_for_serializable(scan, search->wanted);
  if (search->wanted.least <= search->wanted.most) {
    begin_search(scan, search, heap);
    for (uint32 i = 0; i < search->first->parts; ++i)
      push_range(search, Kind::part, i, {search->parts[i].least, search->parts[i].most});
    for (BlockNumber i = search->first->closed; i < search->blocks; ++i)
      push_range(search, Kind::block, i, search->tail[i - search->first->closed]);
  }
  heap_done(heap);
}

void open_part(Relation index, Search* search, uint32 part) {
  Range ranges[kBlocksOnPage];
  const uint32 count = read_ranges(index, search, part, ranges);
  for (uint32 i = 0; i < count; ++i)
    if (const uint32 block = part * kBlocksOnPage + i; block < search->blocks)
      push_range(search, Kind::block, block, ranges[i]);
}

void open_block(IndexScanDesc scan, Search* search, BlockNumber block) {
  Entry entries[kMostInBlock];
  const Keyed table = keyed(scan->heapRelation, scan->indexRelation);
  const int count = read_block(table, block, &kNullKey, entries);
  for (int i = 0; i < count; ++i)
    if (entries[i].key >= search->wanted.least && entries[i].key <= search->wanted.most)
      push(search, {entries[i].key, entries[i].place, Kind::row});
}

// The server counts rows by an index alone, with no column of it, and wants an entry nevertheless. One serves all.
void give_entry(IndexScanDesc scan, Search* search) {
  if (!scan->xs_want_itup || scan->xs_itup != nullptr) return;
  TupleDesc columns = RelationGetDescr(scan->indexRelation);
  Datum value = 0;
  bool null = true;
  MemoryContext before = MemoryContextSwitchTo(GetMemoryChunkContext(search));
  scan->xs_itup = index_form_tuple(columns, &value, &null);
  scan->xs_itupdesc = columns;
  MemoryContextSwitchTo(before);
}

}  // namespace

IndexScanDesc order_begin(Relation index, int keys, int orders) {
  return begin_scan<Search>(index, keys, orders);
}

void order_again(IndexScanDesc scan, ScanKey keys, int, ScanKey, int) {
  static_cast<Search*>(scan->opaque)->begun = false;
  take_keys(scan, keys);
}

void order_end(IndexScanDesc scan) {
  auto* search = static_cast<Search*>(scan->opaque);
  MemoryContextDelete(search->memory);
  if (search->items != nullptr) pfree(search->items);
}

bool order_next(IndexScanDesc scan, ScanDirection direction) {
  auto* search = static_cast<Search*>(scan->opaque);
  if (!search->begun) begin_rows(scan, search, ScanDirectionIsBackward(direction));
  while (search->count > 0) {
    CHECK_FOR_INTERRUPTS();
    const Item item = pop(search);
    if (item.kind == Kind::part) {
      open_part(scan->indexRelation, search, static_cast<uint32>(item.place));
    } else if (item.kind == Kind::block) {
      open_block(scan, search, static_cast<BlockNumber>(item.place));
    } else if (!search->given || item.key != search->last.key || item.place != search->last.place) {
      search->given = true;
      search->last = item;
      scan->xs_heaptid = pointer_of(item.place);
      scan->xs_recheck = true;
      give_entry(scan, search);
      return true;
    }
  }
  return false;
}

int64 order_bitmap(IndexScanDesc scan, TIDBitmap* out) {
  auto* search = static_cast<Search*>(scan->opaque);
  const Range range = wanted(scan);
  count_search(scan);
  lock_for_serializable(scan, range);
  if (range.least > range.most) return 0;
  Relation heap = heap_of(scan->indexRelation);
  begin_search(scan, search, heap);
  const Keyed table = keyed(heap, scan->indexRelation);
  int64 added = 0;
  Range ranges[kBlocksOnPage];
  for (uint32 i = 0; i < search->first->parts; ++i) {
    CHECK_FOR_INTERRUPTS();
    if (!overlap({search->parts[i].least, search->parts[i].most}, range)) continue;
    const uint32 count = read_ranges(scan->indexRelation, search, i, ranges);
    for (uint32 k = 0; k < count; ++k)
      if (const uint32 block = i * kBlocksOnPage + k;
          block < search->blocks && overlap(ranges[k], range))
        added += add_block(table, block, ranges[k], range, out);
  }
  for (BlockNumber i = search->first->closed; i < search->blocks; ++i)
    if (const Range& has = search->tail[i - search->first->closed]; overlap(has, range))
      added += add_block(table, i, has, range, out);
  heap_done(heap);
  return added;
}

// It names no rows, so there is none to take out.
IndexBulkDeleteResult* order_delete(IndexVacuumInfo*, IndexBulkDeleteResult* stats,
                                    IndexBulkDeleteCallback, void*) {
  return stats != nullptr
             ? stats
             : static_cast<IndexBulkDeleteResult*>(palloc0(sizeof(IndexBulkDeleteResult)));
}

IndexBulkDeleteResult* order_cleanup(IndexVacuumInfo* info, IndexBulkDeleteResult* stats) {
  return tidied(info, stats, kOrderBlocks, close_order);
}

}  // namespace vestige::native
