// Searching the runs, and taking out of them what VACUUM removes.
#include <algorithm>

#include "pgext/index_method.h"
#include "pgext/runs.h"

namespace vestige::native {
namespace {

// What a search keeps from one key to the next: rows that its snapshot sees were all there when it began.
struct Search {
  MemoryContext memory;
  const First* first;
  const Part* parts;
  BlockNumber blocks;  // of the heap
  bool asked;          // once already
  Entry* tail;         // sorted, from the second key on
  size_t tail_count;
};

struct Found {
  TIDBitmap* out;
  int64 count;
};

void add(Found* found, uint64 place) {
  if ((place & 0xFFFF) == 0) return;  // VACUUM took it
  ItemPointerData pointer = pointer_of(place);
  // To be looked at again: the row may be another one by now.
  tbm_add_tuples(found->out, &pointer, 1, true);
  ++found->count;
}

void add(Found* found, const Stored& entry) { add(found, place_of(entry)); }

// The first entry of a page that is not before the key.
int lower(const Stored* items, int count, int64 key) {
  int low = 0;
  int high = count;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (items[middle].key < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void take(const Stored* items, int count, int from, int64 key, Found* found) {
  for (int i = from; i < count && items[i].key == key; ++i) add(found, items[i]);
}

enum class Where { before, here, after };

// Where a key begins, seen from a page: before it, on it, whose entries of the key are then added, or after it.
Where search_page(Relation index, const Part& run, uint32 page, int64 key, bool* more,
                  Found* found) {
  CHECK_FOR_INTERRUPTS();
  Buffer buffer = read_page(index, run.page + page);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  const auto* items = checked_items<Stored>(index, buffer, PageKind::run, 1);
  const int count = end_of(BufferGetPage(buffer))->count;
  Where where = Where::here;
  if (items[count - 1].key < key) {
    where = Where::after;
  } else if (page > 0 && items[0].key >= key) {
    where = Where::before;
  } else {
    take(items, count, lower(items, count, key), key, found);
    *more = items[count - 1].key == key;
  }
  UnlockReleaseBuffer(buffer);
  return where;
}

// Adds the entries of a key that stand at the beginning of a page. Whether the next one may have more.
bool take_onward(Relation index, const Part& run, uint32 page, int64 key, Found* found) {
  CHECK_FOR_INTERRUPTS();
  Buffer buffer = read_page(index, run.page + page);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  const auto* items = checked_items<Stored>(index, buffer, PageKind::run, 1);
  const int count = end_of(BufferGetPage(buffer))->count;
  take(items, count, 0, key, found);
  const bool more = items[count - 1].key == key;
  UnlockReleaseBuffer(buffer);
  return more;
}

// The page where a key would stand if keys were spread evenly, as hashes are.
uint32 guess(const Part& run, int64 key) {
  const auto span =
      static_cast<double>(static_cast<uint64>(run.most) - static_cast<uint64>(run.least)) + 1;
  const auto above = static_cast<double>(static_cast<uint64>(key) - static_cast<uint64>(run.least));
  return Min(static_cast<uint32>(above / span * run.pages), run.pages - 1);
}

void search_run(Relation index, const Part& run, int64 key, Found* found) {
  if (key < run.least || key > run.most) return;
  // Every page before `low` ends before the key; every one after `high` does not.
  uint32 low = 0;
  uint32 high = run.pages;  // and one
  uint32 page = guess(run, key);
  bool more = true;
  // A guess or two are right for hashes; where many keys are the same, halving is.
  for (int tried = 0; low < high; ++tried) {
    const Where where = search_page(index, run, page, key, &more, found);
    if (where == Where::here) {
      low = page + 1;
      break;
    }
    if (where == Where::before) {
      high = page;
    } else {
      low = page + 1;
    }
    page = low + (high - low) / 2;
    if (tried < 2) page = where == Where::before ? high - 1 : low;
  }
  for (page = low; more && page < run.pages; ++page)
    more = take_onward(index, run, page, key, found);
}

void search_late(Relation index, const First* first, int64 key, Found* found) {
  Chain chain(index);
  for (BlockNumber page = first->late; page != InvalidBlockNumber;) {
    chain.step();
    Buffer buffer = read_page(index, page);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    const auto* items = checked_items<Stored>(index, buffer, PageKind::late, 0);
    const PageEnd* end = end_of(BufferGetPage(buffer));
    for (int i = 0; i < end->count; ++i)
      if (items[i].key == key) add(found, items[i]);
    page = end->next;
    UnlockReleaseBuffer(buffer);
  }
}

void search_tail_blocks(const Keyed& table, const Search* search, int64 key, Found* found) {
  Entry entries[kMostInBlock];
  for (BlockNumber block = search->first->closed; block < search->blocks; ++block) {
    CHECK_FOR_INTERRUPTS();
    const int count = read_block(table, block, nullptr, entries);
    for (int i = 0; i < count; ++i)
      if (entries[i].key == key) add(found, entries[i].place);
  }
}

void sort_tail(const Keyed& table, Search* search) {
  const BlockNumber blocks =
      search->blocks > search->first->closed ? search->blocks - search->first->closed : 0;
  const Size room = (static_cast<Size>(blocks) + 1) * kMostInBlock * sizeof(Entry);
  search->tail = static_cast<Entry*>(MemoryContextAllocHuge(search->memory, room));
  search->tail_count = 0;
  for (BlockNumber block = search->first->closed; block < search->blocks; ++block) {
    CHECK_FOR_INTERRUPTS();
    search->tail_count +=
        static_cast<size_t>(read_block(table, block, nullptr, search->tail + search->tail_count));
  }
  std::sort(search->tail, search->tail + search->tail_count);
}

void search_tail(const Keyed& table, Search* search, int64 key, Found* found) {
  if (!search->asked) {
    search_tail_blocks(table, search, key, found);
    return;
  }
  if (search->tail == nullptr) sort_tail(table, search);
  const Entry* end = search->tail + search->tail_count;
  for (const Entry* at =
           std::lower_bound(static_cast<const Entry*>(search->tail), end, Entry{key, 0});
       at != end && at->key == key; ++at)
    add(found, at->place);
}

// The key that all of the conditions ask for.
bool wanted(IndexScanDesc scan, int64* key) {
  for (int i = 0; i < scan->numberOfKeys; ++i) {
    if ((scan->keyData[i].sk_flags & SK_ISNULL) != 0) return false;
    refuse_unknown(scan->indexRelation, scan->keyData[i]);
    const int64 asked = DatumGetInt64(scan->keyData[i].sk_argument);
    if (i > 0 && asked != *key) return false;
    *key = asked;
  }
  return scan->numberOfKeys > 0;
}

void begin_search(IndexScanDesc scan, Search* search, Relation heap) {
  if (search->first != nullptr && IsMVCCSnapshot(scan->xs_snapshot)) return;
  MemoryContextReset(search->memory);
  MemoryContext before = MemoryContextSwitchTo(search->memory);
  search->first = read_first(scan->indexRelation);
  search->parts = read_parts(scan->indexRelation, search->first);
  search->blocks = RelationGetNumberOfBlocks(heap);
  search->asked = false;
  search->tail = nullptr;
  MemoryContextSwitchTo(before);
}

struct Removal {
  Relation index;
  IndexBulkDeleteResult* stats;
  IndexBulkDeleteCallback dead;
  void* state;
};

// Takes what is dead from a page of entries. Their keys stay, so that the page is searched as before.
void remove_from(const Removal& removal, Buffer buffer, PageKind kind) {
  LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
  (void)checked(removal.index, buffer, kind, sizeof(Stored), 0);
  GenericXLogState* record = GenericXLogStart(removal.index);
  Page page = GenericXLogRegisterBuffer(record, buffer, 0);
  auto* items = items_of<Stored>(page);
  const int count = end_of(page)->count;
  int removed = 0;
  for (int i = 0; i < count; ++i) {
    if (items[i].offset == InvalidOffsetNumber) continue;
    ItemPointerData row = pointer_of(place_of(items[i]));
    if (removal.dead(&row, removal.state)) {
      items[i].offset = InvalidOffsetNumber;
      ++removed;
    } else {
      removal.stats->num_index_tuples += 1;
    }
  }
  removal.stats->tuples_removed += removed;
  if (removed > 0) {
    GenericXLogFinish(record);
  } else {
    GenericXLogAbort(record);
  }
  LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
}

void remove_from_runs(const Removal& removal, const First* first, BufferAccessStrategy strategy) {
  const Part* parts = read_parts(removal.index, first);
  for (uint32 i = 0; i < first->parts; ++i) {
    for (uint32 page = 0; page < parts[i].pages; ++page) {
      Buffer buffer = ReadBufferExtended(removal.index, MAIN_FORKNUM, parts[i].page + page,
                                         RBM_NORMAL, strategy);
      remove_from(removal, buffer, PageKind::run);
      ReleaseBuffer(buffer);
      CHECK_FOR_INTERRUPTS();
    }
  }
}

void remove_from_late(const Removal& removal, const First* first) {
  Chain chain(removal.index);
  for (BlockNumber page = first->late; page != InvalidBlockNumber;) {
    chain.step();
    Buffer buffer = read_page(removal.index, page);
    remove_from(removal, buffer, PageKind::late);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    page = end_of(BufferGetPage(buffer))->next;
    UnlockReleaseBuffer(buffer);
  }
}

}  // namespace

IndexScanDesc runs_begin(Relation index, int keys, int orders) {
  return begin_scan<Search>(index, keys, orders);
}

void runs_again(IndexScanDesc scan, ScanKey keys, int, ScanKey, int) { take_keys(scan, keys); }

void runs_end(IndexScanDesc scan) {
  MemoryContextDelete(static_cast<Search*>(scan->opaque)->memory);
}

int64 runs_bitmap(IndexScanDesc scan, TIDBitmap* out) {
  auto* search = static_cast<Search*>(scan->opaque);
  Relation index = scan->indexRelation;
  Found found = {out, 0};
  int64 key = 0;
  count_search(scan);
  if (!wanted(scan, &key)) return 0;
  PredicateLockPage(index, bucket_of(key), scan->xs_snapshot);
  Relation heap = heap_of(index);
  begin_search(scan, search, heap);
  for (uint32 i = 0; i < search->first->parts; ++i) {
    CHECK_FOR_INTERRUPTS();
    search_run(index, search->parts[i], key, &found);
  }
  search_late(index, search->first, key, &found);
  search_tail(keyed(heap, index), search, key, &found);
  search->asked = true;
  heap_done(heap);
  return found.count;
}

// Nobody closes meanwhile: a closer that had read a row before VACUUM took it would write it down behind VACUUM's back.
IndexBulkDeleteResult* runs_delete(IndexVacuumInfo* info, IndexBulkDeleteResult* stats,
                                   IndexBulkDeleteCallback dead, void* state) {
  if (stats == nullptr)
    stats = static_cast<IndexBulkDeleteResult*>(palloc0(sizeof(IndexBulkDeleteResult)));
  stats->num_index_tuples = 0;
  const Removal removal = {info->index, stats, dead, state};
  LockPage(info->index, kFirstPage, ExclusiveLock);
  const First* first = read_first(info->index);
  remove_from_runs(removal, first, info->strategy);
  remove_from_late(removal, first);
  end_closing(info->index);
  return stats;
}

IndexBulkDeleteResult* runs_cleanup(IndexVacuumInfo* info, IndexBulkDeleteResult* stats) {
  return tidied(info, stats, kRunBlocks, close_run);
}

}  // namespace vestige::native
