#include "pgext/runs.h"

#include <algorithm>

#include "pgext/index_method.h"

namespace vestige::native {
namespace {

constexpr uint32 kMostLatePages = 16;
constexpr Part kNothing = {InvalidBlockNumber, 0, 0, 1, 0};

// Entries being gathered.
struct Heap {
  Entry* entries;
  size_t count;
  size_t room;
};

void grow(Heap* out, size_t more) {
  if (out->count + more <= out->room) return;
  out->room = Max(out->room * 2, out->count + more);
  const Size bytes = out->room * sizeof(Entry);
  out->entries = static_cast<Entry*>(
      out->entries == nullptr
          ? MemoryContextAllocExtended(CurrentMemoryContext, bytes, MCXT_ALLOC_HUGE)
          : repalloc_huge(out->entries, bytes));
}

Stored stored(const Entry& entry) {
  const BlockNumber block = block_of(entry.place);
  return {entry.key, static_cast<uint16>(block >> 16), static_cast<uint16>(block),
          static_cast<uint16>(entry.place)};
}

void fill_page(Relation index, Buffer buffer, const Entry* entries, uint32 count) {
  LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
  START_CRIT_SECTION();
  Page page = BufferGetPage(buffer);
  begin_page(page, PageKind::run);
  auto* items = items_of<Stored>(page);
  for (uint32 i = 0; i < count; ++i) items[i] = stored(entries[i]);
  set_count(page, count, sizeof(Stored));
  MarkBufferDirty(buffer);
  if (RelationNeedsWAL(index)) log_newpage_buffer(buffer, true);
  END_CRIT_SECTION();
  UnlockReleaseBuffer(buffer);
}

// Sorts the entries and writes them on pages in a row. Nobody knows of them yet.
Part write_run(Relation index, Heap* gathered) {
  Entry* end = gathered->entries + gathered->count;
  std::sort(gathered->entries, end);
  end = std::unique(gathered->entries, end);
  const auto count = static_cast<uint64>(end - gathered->entries);
  Part part = {InvalidBlockNumber, 0, count, gathered->entries[0].key, end[-1].key};
  LockRelationForExtension(index, ExclusiveLock);
  for (uint64 at = 0; at < count; at += kStoredOnPage) {
    Buffer buffer = ReadBuffer(index, P_NEW);
    if (at == 0) part.page = BufferGetBlockNumber(buffer);
    ++part.pages;
    fill_page(index, buffer, gathered->entries + at,
              static_cast<uint32>(Min(static_cast<uint64>(kStoredOnPage), count - at)));
  }
  UnlockRelationForExtension(index, ExclusiveLock);
  return part;
}

void gather_blocks(const Keyed& table, BlockNumber from, BlockNumber upto, Heap* out) {
  for (BlockNumber block = from; block < upto; ++block) {
    CHECK_FOR_INTERRUPTS();
    grow(out, kMostInBlock);
    out->count += static_cast<size_t>(read_block(table, block, nullptr, out->entries + out->count));
  }
}

// The entries on the late pages from the first to the last that a closer saw.
void gather_late(Relation index, const First* first, Heap* out) {
  Chain chain(index);
  BlockNumber page = first->late;
  while (page != InvalidBlockNumber) {
    chain.step();
    Buffer buffer = read_page(index, page);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    const auto* items = checked_items<Stored>(index, buffer, PageKind::late, 0);
    const PageEnd* end = end_of(BufferGetPage(buffer));
    grow(out, end->count);
    for (int i = 0; i < end->count; ++i)
      if (items[i].offset != InvalidOffsetNumber)
        out->entries[out->count++] = {items[i].key, place_of(items[i])};
    page = page == first->late_last ? InvalidBlockNumber : end->next;
    UnlockReleaseBuffer(buffer);
  }
}

bool close_blocks(const Keyed& table, Relation index, BlockNumber upto) {
  const First* first = announce(index, upto);
  Heap gathered = {};
  gather_blocks(table, first->closed, upto, &gathered);
  gather_late(index, first, &gathered);
  Publication what = {};
  what.place = first->parts;
  what.closed = upto;
  what.absorbed = first->late_last;
  what.absorbed_pages = first->late_pages;
  what.late_item = sizeof(Stored);
  what.part = kNothing;
  if (gathered.count > 0) what.part = write_run(index, &gathered);
  return publish(index, what);
}

// A page for late entries at the end of those there are. The first page is locked by the caller.
Page link_late_page(GenericXLogState* record, First* first, Buffer fresh) {
  Page page = GenericXLogRegisterBuffer(record, fresh, GENERIC_XLOG_FULL_IMAGE);
  begin_page(page, PageKind::late);
  if (first->late == InvalidBlockNumber) first->late = BufferGetBlockNumber(fresh);
  first->late_last = BufferGetBlockNumber(fresh);
  ++first->late_pages;
  first->late_full = 0;
  return page;
}

void append_late(Page page, const Entry& entry) {
  const uint32 count = end_of(page)->count;
  items_of<Stored>(page)[count] = stored(entry);
  set_count(page, count + 1, sizeof(Stored));
}

// Adds an entry to the last late page. False when that has no room and there is no `fresh` one to add.
bool add_late_to(Relation index, const Entry& entry, Buffer fresh) {
  Buffer buffer = ReadBuffer(index, kFirstPage);
  LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
  const First* seen = checked_first(index, buffer);
  const bool none = seen->late_last == InvalidBlockNumber;
  Buffer last = none ? InvalidBuffer : read_page(index, seen->late_last);
  if (!none) {
    // The fresh one is locked: a chain that ends there already leads astray.
    if (last == fresh) corrupted(index, seen->late_last);
    LockBuffer(last, BUFFER_LOCK_EXCLUSIVE);
    (void)checked(index, last, PageKind::late, sizeof(Stored), 0);
  }
  const bool room =
      !none && seen->late_full == 0 && end_of(BufferGetPage(last))->count < kStoredOnPage;
  if (room || fresh != InvalidBuffer) {
    GenericXLogState* record = GenericXLogStart(index);
    if (room) {
      append_late(GenericXLogRegisterBuffer(record, last, 0), entry);
    } else {
      First* first = first_of(GenericXLogRegisterBuffer(record, buffer, 0));
      if (!none)
        end_of(GenericXLogRegisterBuffer(record, last, 0))->next = BufferGetBlockNumber(fresh);
      append_late(link_late_page(record, first, fresh), entry);
    }
    GenericXLogFinish(record);
  }
  if (!none) UnlockReleaseBuffer(last);
  UnlockReleaseBuffer(buffer);
  return room || fresh != InvalidBuffer;
}

void add_late(Relation index, const Entry& entry) {
  if (add_late_to(index, entry, InvalidBuffer)) return;
  Buffer fresh = new_page(index);
  LockBuffer(fresh, BUFFER_LOCK_EXCLUSIVE);
  (void)add_late_to(index, entry, fresh);
  UnlockReleaseBuffer(fresh);
}

// What a build gathers, and when it writes a run.
struct Build {
  Relation index;
  Heap gathered;
  size_t most;
  double entries;
};

void end_run(Build* build, BlockNumber closed) {
  if (closed == 0 && build->gathered.count == 0) return;
  Publication what = {};
  what.closed = closed;
  what.absorbed = InvalidBlockNumber;
  what.part = kNothing;
  if (build->gathered.count > 0) what.part = write_run(build->index, &build->gathered);
  what.place = read_first(build->index)->parts;
  (void)publish(build->index, what);  // there is room for half a million
  build->gathered.count = 0;
}

void gather_built(Relation, ItemPointer row, Datum* values, bool* nulls, bool, void* state) {
  auto* build = static_cast<Build*>(state);
  if (nulls[0]) return;
  if (build->gathered.count >= build->most) end_run(build, 0);
  grow(&build->gathered, 1);
  build->gathered.entries[build->gathered.count++] = {
      DatumGetInt64(values[0]),
      place_of(ItemPointerGetBlockNumber(row), ItemPointerGetOffsetNumber(row))};
  build->entries += 1;
}

}  // namespace

void close_run(Relation heap, Relation index, BlockNumber upto) {
  if (!begin_closing(index)) return;
  MemoryContext memory =
      AllocSetContextCreate(CurrentMemoryContext, "vestige run", ALLOCSET_DEFAULT_SIZES);
  MemoryContext before = MemoryContextSwitchTo(memory);
  const BlockNumber blocks = segment_blocks(index, kRunBlocks);
  const Keyed table = keyed(heap, index);
  Reach reach = reach_of(index);
  while (upto >= reach.closed + blocks || reach.late_pages >= kMostLatePages) {
    const bool whole = upto >= reach.closed + blocks;
    if (!close_blocks(table, index, whole ? reach.closed + blocks : reach.closed)) break;
    MemoryContextReset(memory);
    reach = reach_of(index);
  }
  MemoryContextSwitchTo(before);
  MemoryContextDelete(memory);
  end_closing(index);
}

bool runs_insert(Relation index, Datum* values, bool* nulls, ItemPointer row, Relation heap,
                 IndexUniqueCheck,
#if PG_VERSION_NUM >= 140000
                 bool,
#endif
                 IndexInfo*) {
  if (nulls[0]) return false;
  const int64 key = DatumGetInt64(values[0]);
  const BlockNumber block = ItemPointerGetBlockNumber(row);
  CheckForSerializableConflictIn(index, nullptr, bucket_of(key));
  const Reach reach = reach_of(index);
  if (block < reach.closing)
    add_late(index, {key, place_of(block, ItemPointerGetOffsetNumber(row))});
  const BlockNumber blocks = segment_blocks(index, kRunBlocks);
  // Other writers may still be filling the blocks before this one.
  const BlockNumber open = slack(blocks);
  if (block >= reach.closed + blocks + open) {
    close_run(heap, index, block - open);
  } else if (reach.late_pages >= kMostLatePages) {
    close_run(heap, index, reach.closed);
  }
  return false;
}

IndexBuildResult* runs_build(Relation heap, Relation index, IndexInfo* info) {
  refuse_unfit(index, info);
  begin_index(index);
  // What is written while it is built, as create index concurrently allows, goes to the tail or comes late.
  const BlockNumber blocks = RelationGetNumberOfBlocks(heap);
  Build build = {};
  build.index = index;
  build.most = Max(static_cast<size_t>(maintenance_work_mem) * 1024 / sizeof(Entry), size_t{1024});
  auto* result = static_cast<IndexBuildResult*>(palloc0(sizeof(IndexBuildResult)));
  result->heap_tuples =
      table_index_build_scan(heap, index, info, false, false, gather_built, &build, nullptr);
  end_run(&build, blocks);
  result->index_tuples = build.entries;
  return result;
}

}  // namespace vestige::native
