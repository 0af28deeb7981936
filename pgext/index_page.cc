#include "pgext/index_page.h"

namespace vestige::native {
namespace {

Buffer locked(Relation index, BlockNumber page, int mode) {
  Buffer buffer = ReadBuffer(index, page);
  LockBuffer(buffer, mode);
  return buffer;
}

BlockNumber next_of(Relation index, BlockNumber page) {
  Buffer buffer = locked(index, page, BUFFER_LOCK_SHARE);
  const BlockNumber next = end_of(BufferGetPage(buffer))->next;
  UnlockReleaseBuffer(buffer);
  return next;
}

void check(Relation index, const First* first) {
  if (first->magic != kMagic)
    ereport(ERROR,
            (errcode(ERRCODE_INDEX_CORRUPTED),
             errmsg("vestige: index %s is not of this layout", RelationGetRelationName(index)),
             errhint("reindex index %s", RelationGetRelationName(index))));
}

// The first page as it is, in a buffer that the caller has locked.
First* copy_first(Relation index, Buffer buffer) {
  const First* first = first_of(BufferGetPage(buffer));
  check(index, first);
  const size_t size = sizeof(First) + sizeof(BlockNumber) * first->part_pages;
  auto* copy = static_cast<First*>(palloc(size));
  std::memcpy(copy, first, size);
  return copy;
}

}  // namespace

void begin_page(Page page, PageKind kind) {
  PageInit(page, BLCKSZ, sizeof(PageEnd));
  PageEnd* end = end_of(page);
  end->next = InvalidBlockNumber;
  end->kind = static_cast<uint16>(kind);
  end->count = 0;
}

void set_count(Page page, uint32 count, size_t size) {
  end_of(page)->count = static_cast<uint16>(count);
  auto* header = static_cast<PageHeader>(static_cast<void*>(page));
  header->pd_lower = static_cast<LocationIndex>(MAXALIGN(SizeOfPageHeaderData) + count * size);
}

Buffer new_page(Relation index) {
  LockRelationForExtension(index, ExclusiveLock);
  Buffer buffer = ReadBuffer(index, P_NEW);
  UnlockRelationForExtension(index, ExclusiveLock);
  return buffer;
}

void begin_index(Relation index) {
  Buffer buffer = new_page(index);
  Assert(BufferGetBlockNumber(buffer) == kFirstPage);
  LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
  GenericXLogState* record = GenericXLogStart(index);
  Page page = GenericXLogRegisterBuffer(record, buffer, GENERIC_XLOG_FULL_IMAGE);
  begin_page(page, PageKind::first);
  First* first = first_of(page);
  std::memset(first, 0, sizeof(First));
  first->magic = kMagic;
  first->late = first->late_last = InvalidBlockNumber;
  set_count(page, 1, sizeof(First));
  GenericXLogFinish(record);
  UnlockReleaseBuffer(buffer);
}

void begin_unlogged(Relation index) {
  ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                  errmsg("vestige: index %s cannot be unlogged", RelationGetRelationName(index)),
                  errhint("use a btree for a table that is")));
}

Reach reach_of(Relation index) {
  Buffer buffer = locked(index, kFirstPage, BUFFER_LOCK_SHARE);
  const First* first = first_of(BufferGetPage(buffer));
  const Reach reach = {first->closed, first->closing, first->late_pages};
  UnlockReleaseBuffer(buffer);
  return reach;
}

First* read_first(Relation index) {
  Buffer buffer = locked(index, kFirstPage, BUFFER_LOCK_SHARE);
  First* copy = copy_first(index, buffer);
  UnlockReleaseBuffer(buffer);
  return copy;
}

Part* read_parts(Relation index, const First* first) {
  auto* parts = static_cast<Part*>(palloc(sizeof(Part) * (first->parts + 1)));
  for (uint32 at = 0; at < first->parts; at += kPartsOnPage) {
    Buffer buffer = locked(index, first->part_page[at / kPartsOnPage], BUFFER_LOCK_SHARE);
    std::memcpy(parts + at, items_of<Part>(BufferGetPage(buffer)),
                sizeof(Part) * Min(kPartsOnPage, first->parts - at));
    UnlockReleaseBuffer(buffer);
  }
  return parts;
}

bool begin_closing(Relation index) { return ConditionalLockPage(index, kFirstPage, ExclusiveLock); }

void end_closing(Relation index) { UnlockPage(index, kFirstPage, ExclusiveLock); }

void await_closer(Relation index) {
  LockPage(index, kFirstPage, ShareLock);
  UnlockPage(index, kFirstPage, ShareLock);
}

First* announce(Relation index, BlockNumber upto) {
  Buffer buffer = locked(index, kFirstPage, BUFFER_LOCK_EXCLUSIVE);
  GenericXLogState* record = GenericXLogStart(index);
  First* first = first_of(GenericXLogRegisterBuffer(record, buffer, 0));
  first->closing = upto;
  first->late_full = 1;
  GenericXLogFinish(record);
  // Before anybody else adds to the late pages: what is added from here on must not count as read.
  First* then = copy_first(index, buffer);
  UnlockReleaseBuffer(buffer);
  return then;
}

bool publish(Relation index, const Publication& what) {
  const uint32 part_page = what.place / kPartsOnPage;
  const uint32 item = what.place % kPartsOnPage;
  if (part_page >= kMostPartPages) return false;
  const First* seen = read_first(index);
  const bool fresh = part_page >= seen->part_pages;
  Buffer parts = fresh ? new_page(index) : ReadBuffer(index, seen->part_page[part_page]);
  Buffer buffer = locked(index, kFirstPage, BUFFER_LOCK_EXCLUSIVE);
  LockBuffer(parts, BUFFER_LOCK_EXCLUSIVE);
  GenericXLogState* record = GenericXLogStart(index);
  Page first_page = GenericXLogRegisterBuffer(record, buffer, 0);
  First* first = first_of(first_page);
  Page page = GenericXLogRegisterBuffer(record, parts, fresh ? GENERIC_XLOG_FULL_IMAGE : 0);
  if (fresh) {
    begin_page(page, PageKind::parts);
    first->part_page[first->part_pages++] = BufferGetBlockNumber(parts);
    auto* header = static_cast<PageHeader>(static_cast<void*>(first_page));
    header->pd_lower = static_cast<LocationIndex>(header->pd_lower + sizeof(BlockNumber));
  }
  items_of<Part>(page)[item] = what.part;
  set_count(page, Max(item + 1, static_cast<uint32>(end_of(page)->count)), sizeof(Part));
  if (what.page != InvalidBuffer) {
    LockBuffer(what.page, BUFFER_LOCK_EXCLUSIVE);
    what.change(
        GenericXLogRegisterBuffer(record, what.page, what.fresh ? GENERIC_XLOG_FULL_IMAGE : 0),
        what.argument);
  }
  first->parts = Max(first->parts, what.place + 1);
  first->closed = first->closing = what.closed;
  if (what.absorbed != InvalidBlockNumber) {
    // What came after the closer had looked stands in pages of its own, behind those.
    first->late = next_of(index, what.absorbed);
    if (first->late == InvalidBlockNumber) first->late_last = InvalidBlockNumber;
    first->late_pages -= what.absorbed_pages;
  }
  GenericXLogFinish(record);
  if (what.page != InvalidBuffer) LockBuffer(what.page, BUFFER_LOCK_UNLOCK);
  UnlockReleaseBuffer(parts);
  UnlockReleaseBuffer(buffer);
  return true;
}

BlockNumber bucket_of(int64 key) {
  return static_cast<BlockNumber>(static_cast<uint64>(key) * 0x9E3779B97F4A7C15U >> 40);
}

}  // namespace vestige::native
