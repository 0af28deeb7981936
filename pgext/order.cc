#include "pgext/order.h"

#include "pgext/index_method.h"

namespace vestige::native {
namespace {

// Ranges of heap blocks in a row, to be added to a page of them.
struct Addition {
  uint32 at;  // the first's place on the page
  uint32 count;
  const Range* ranges;
};

void add_ranges(Page page, void* argument) {
  const auto* more = static_cast<const Addition*>(argument);
  if (PageIsNew(page)) begin_page(page, PageKind::blocks);
  std::memcpy(items_of<Range>(page) + more->at, more->ranges, sizeof(Range) * more->count);
  set_count(page, more->at + more->count, sizeof(Range));
}

// Enters the ranges of the heap blocks from `closed` on, which all belong on one page.
bool enter(Relation index, BlockNumber closed, const Range* ranges, uint32 count) {
  Addition addition = {closed % kBlocksOnPage, count, ranges};
  Publication what = {};
  what.place = closed / kBlocksOnPage;
  what.closed = closed + count;
  what.absorbed = InvalidBlockNumber;
  what.fresh = addition.at == 0;
  what.change = add_ranges;
  what.argument = &addition;
  if (what.fresh) {
    what.page = new_page(index);
    what.part = {BufferGetBlockNumber(what.page), 1, 0, kNoKeys.least, kNoKeys.most};
  } else {
    const First* first = read_first(index);
    if (what.place >= first->parts) corrupted(index, kFirstPage);
    what.part = read_parts(index, first)[what.place];
    what.page = read_page(index, what.part.page);
    what.kind = PageKind::blocks;
    what.item = sizeof(Range);
  }
  Range whole = {what.part.least, what.part.most};
  for (uint32 i = 0; i < count; ++i) {
    if (ranges[i].least > ranges[i].most) continue;
    widen(&whole, ranges[i].least);
    widen(&whole, ranges[i].most);
  }
  what.part.least = whole.least;
  what.part.most = whole.most;
  what.part.count = addition.at + count;
  const bool entered = publish(index, what);
  ReleaseBuffer(what.page);
  return entered;
}

bool close_blocks(const Keyed& table, Relation index, BlockNumber blocks) {
  const BlockNumber closed = reach_of(index).closed;
  const uint32 count = Min(blocks, kBlocksOnPage - closed % kBlocksOnPage);
  (void)announce(index, closed + count);
  auto* ranges = static_cast<Range*>(palloc(sizeof(Range) * count));
  for (uint32 i = 0; i < count; ++i) {
    CHECK_FOR_INTERRUPTS();
    ranges[i] = range_of(table, closed + i);
  }
  return enter(index, closed, ranges, count);
}

// Makes the range of a closed block, and of its part, as wide as a key needs.
void widen_block(Relation index, BlockNumber block, int64 key) {
  const uint32 place = block / kBlocksOnPage;
  const First* first = read_first(index);
  if (place >= first->parts) corrupted(index, kFirstPage);
  Buffer parts = read_page(index, first->part_page[place / kPartsOnPage]);
  LockBuffer(parts, BUFFER_LOCK_EXCLUSIVE);
  const Part* part = checked_items<Part>(index, parts, PageKind::parts, place % kPartsOnPage + 1) +
                     place % kPartsOnPage;
  // The same page cannot be locked twice.
  if (part->page == BufferGetBlockNumber(parts)) corrupted(index, part->page);
  Buffer buffer = read_page(index, part->page);
  LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
  const Range* range =
      checked_items<Range>(index, buffer, PageKind::blocks, block % kBlocksOnPage + 1) +
      block % kBlocksOnPage;
  if (key < range->least || key > range->most) {
    GenericXLogState* record = GenericXLogStart(index);
    Part* wider =
        items_of<Part>(GenericXLogRegisterBuffer(record, parts, 0)) + place % kPartsOnPage;
    Range whole = {wider->least, wider->most};
    widen(&whole, key);
    wider->least = whole.least;
    wider->most = whole.most;
    widen(items_of<Range>(GenericXLogRegisterBuffer(record, buffer, 0)) + block % kBlocksOnPage,
          key);
    GenericXLogFinish(record);
  }
  UnlockReleaseBuffer(buffer);
  UnlockReleaseBuffer(parts);
}

struct Build {
  Relation index;
  BlockNumber from;    // of the ranges, the first block
  BlockNumber blocks;  // of the heap, when the build began
  Range ranges[kBlocksOnPage];
  double rows;
};

// Enters the ranges that are complete, up to a block.
void enter_before(Build* build, BlockNumber block) {
  while (build->from < block && (build->from + kBlocksOnPage <= block || block == build->blocks)) {
    const uint32 count = Min(kBlocksOnPage, block - build->from);
    (void)enter(build->index, build->from, build->ranges, count);
    build->from += count;
    for (Range& range : build->ranges) range = kNoKeys;
  }
}

void gather_built(Relation, ItemPointer row, Datum* values, bool* nulls, bool, void* state) {
  auto* build = static_cast<Build*>(state);
  const BlockNumber block = ItemPointerGetBlockNumber(row);
  build->rows += 1;
  if (block >= build->blocks) return;
  enter_before(build, block);
  widen(&build->ranges[block - build->from], nulls[0] ? kNullKey : DatumGetInt64(values[0]));
}

}  // namespace

Range range_of(const Keyed& table, BlockNumber block) {
  Entry entries[kMostInBlock];
  const int count = read_block(table, block, &kNullKey, entries);
  Range range = kNoKeys;
  for (int i = 0; i < count; ++i) widen(&range, entries[i].key);
  return range;
}

void close_order(Relation heap, Relation index, BlockNumber upto) {
  if (!begin_closing(index)) return;
  MemoryContext memory =
      AllocSetContextCreate(CurrentMemoryContext, "vestige order", ALLOCSET_DEFAULT_SIZES);
  MemoryContext before = MemoryContextSwitchTo(memory);
  const BlockNumber blocks = segment_blocks(index, kOrderBlocks);
  const Keyed table = keyed(heap, index);
  while (upto >= reach_of(index).closed + blocks && close_blocks(table, index, blocks))
    MemoryContextReset(memory);
  MemoryContextSwitchTo(before);
  MemoryContextDelete(memory);
  end_closing(index);
}

bool order_insert(Relation index, Datum* values, bool* nulls, ItemPointer row, Relation heap,
                  IndexUniqueCheck,
#if PG_VERSION_NUM >= 140000
                  bool,
#endif
                  IndexInfo*) {
  const int64 key = nulls[0] ? kNullKey : DatumGetInt64(values[0]);
  const BlockNumber block = ItemPointerGetBlockNumber(row);
  CheckForSerializableConflictIn(index, nullptr, bucket_of(key));
  Reach reach = reach_of(index);
  if (block >= reach.closed && block < reach.closing) {
    await_closer(index);
    reach = reach_of(index);
  }
  if (block < reach.closed) {
    widen_block(index, block, key);
    return false;
  }
  const BlockNumber blocks = segment_blocks(index, kOrderBlocks);
  const BlockNumber open = slack(blocks);
  if (block >= reach.closed + blocks + open) close_order(heap, index, block - open);
  return false;
}

IndexBuildResult* order_build(Relation heap, Relation index, IndexInfo* info) {
  refuse_unfit(index, info);
  begin_index(index);
  auto* build = static_cast<Build*>(palloc0(sizeof(Build)));
  build->index = index;
  build->blocks = RelationGetNumberOfBlocks(heap);
  for (Range& range : build->ranges) range = kNoKeys;
  auto* result = static_cast<IndexBuildResult*>(palloc0(sizeof(IndexBuildResult)));
  result->heap_tuples =
      table_index_build_scan(heap, index, info, false, false, gather_built, build, nullptr);
  enter_before(build, build->blocks);
  result->index_tuples = build->rows;
  return result;
}

}  // namespace vestige::native
