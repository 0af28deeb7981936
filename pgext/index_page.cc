#include "pgext/index_page.h"

namespace vestige::native {
namespace {

Buffer locked(Relation index, BlockNumber page, int mode) {
  Buffer buffer = ReadBuffer(index, page);
  LockBuffer(buffer, mode);
  return buffer;
}

// Where the page of late entries that a closer has taken in leads to. A first page is changed only by what was checked.
BlockNumber next_of(Relation index, BlockNumber page, size_t item) {
  Buffer buffer = read_page(index, page);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  const BlockNumber next = end_of(checked(index, buffer, PageKind::late, item, 0))->next;
  UnlockReleaseBuffer(buffer);
  return next;
}

size_t size_of(const First& first) {
  return sizeof(First) + sizeof(BlockNumber) * first.part_pages;
}

LocationIndex lower_of(Page page) {
  return static_cast<PageHeader>(static_cast<void*>(page))->pd_lower;
}

// The first page as it is, in a buffer that the caller has locked.
First* copy_first(Relation index, Buffer buffer) {
  const First* first = checked_first(index, buffer);
  auto* copy = static_cast<First*>(palloc(size_of(*first)));
  std::memcpy(copy, first, size_of(*first));
  return copy;
}

bool in_index(const Part& part, BlockNumber blocks) {
  if (part.pages == 0) return part.least > part.most;
  return part.page != kFirstPage && part.page < blocks && part.pages <= blocks - part.page;
}

}  // namespace

void corrupted(Relation index, BlockNumber page) {
  ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
                  errmsg("vestige: page %u of index %s is not as it was written", page,
                         RelationGetRelationName(index)),
                  errhint("reindex index %s", RelationGetRelationName(index))));
  pg_unreachable();
}

Buffer read_page(Relation index, BlockNumber page) {
  // The greatest number would make the server add a page.
  if (page == kFirstPage || page == InvalidBlockNumber) corrupted(index, page);
  return ReadBuffer(index, page);
}

Page checked(Relation index, Buffer buffer, PageKind kind, size_t item, uint32 least) {
  Page page = BufferGetPage(buffer);
  const auto* header = static_cast<const PageHeaderData*>(static_cast<const void*>(page));
  if (header->pd_special != BLCKSZ - MAXALIGN(sizeof(PageEnd)) ||
      header->pd_upper != header->pd_special || PageGetPageSize(page) != BLCKSZ ||
      end_of(page)->kind != static_cast<uint16>(kind) || end_of(page)->count < least ||
      end_of(page)->count * item > kRoom ||
      (kind != PageKind::first &&
       lower_of(page) != MAXALIGN(SizeOfPageHeaderData) + end_of(page)->count * item))
    corrupted(index, BufferGetBlockNumber(buffer));
  return page;
}

First* checked_first(Relation index, Buffer buffer) {
  Page page = BufferGetPage(buffer);
  First* first = first_of(page);
  if (PageIsNew(page) || first->magic != kMagic)
    ereport(ERROR,
            (errcode(ERRCODE_INDEX_CORRUPTED),
             errmsg("vestige: index %s is not of this layout", RelationGetRelationName(index)),
             errhint("reindex index %s", RelationGetRelationName(index))));
  (void)checked(index, buffer, PageKind::first, sizeof(First), 1);
  const bool none = first->late == InvalidBlockNumber;
  if (first->part_pages > kMostPartPages ||
      lower_of(page) != MAXALIGN(SizeOfPageHeaderData) + size_of(*first) ||
      (first->parts + kPartsOnPage - 1) / kPartsOnPage != first->part_pages ||
      first->closed > first->closing || first->closing > MaxBlockNumber ||
      none != (first->late_last == InvalidBlockNumber) || none != (first->late_pages == 0))
    corrupted(index, kFirstPage);
  return first;
}

void Chain::step() {
  CHECK_FOR_INTERRUPTS();
  if (steps_++ < most_) return;
  most_ = RelationGetNumberOfBlocks(index_);
  if (steps_ > most_) corrupted(index_, kFirstPage);
}

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
  const First* first = checked_first(index, buffer);
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
  auto* parts = static_cast<Part*>(
      MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Part) * (Size{first->parts} + 1)));
  const BlockNumber blocks = RelationGetNumberOfBlocks(index);
  for (uint32 at = 0; at < first->parts; at += kPartsOnPage) {
    CHECK_FOR_INTERRUPTS();
    const uint32 count = Min(kPartsOnPage, first->parts - at);
    Buffer buffer = read_page(index, first->part_page[at / kPartsOnPage]);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    const auto* items = checked_items<Part>(index, buffer, PageKind::parts, count);
    std::memcpy(parts + at, items, sizeof(Part) * count);
    for (uint32 i = 0; i < count; ++i)
      if (!in_index(items[i], blocks)) corrupted(index, BufferGetBlockNumber(buffer));
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
  (void)checked_first(index, buffer);
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
  if (part_page > seen->part_pages) corrupted(index, kFirstPage);
  const bool fresh = part_page == seen->part_pages;
  // What came after the closer had looked stands in pages of its own, behind those.
  const bool absorbs = what.absorbed != InvalidBlockNumber;
  Buffer parts = fresh ? new_page(index) : read_page(index, seen->part_page[part_page]);
  Buffer buffer = locked(index, kFirstPage, BUFFER_LOCK_EXCLUSIVE);
  const BlockNumber late = absorbs ? next_of(index, what.absorbed, what.late_item) : 0;
  if (checked_first(index, buffer)->late_pages < what.absorbed_pages) corrupted(index, kFirstPage);
  LockBuffer(parts, BUFFER_LOCK_EXCLUSIVE);
  if (!fresh) (void)checked(index, parts, PageKind::parts, sizeof(Part), 0);
  // The same page cannot be locked twice.
  if (what.page == parts) corrupted(index, BufferGetBlockNumber(parts));
  if (what.page != InvalidBuffer) LockBuffer(what.page, BUFFER_LOCK_EXCLUSIVE);
  if (what.page != InvalidBuffer && !what.fresh)
    (void)checked(index, what.page, what.kind, what.item, 0);
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
  if (what.page != InvalidBuffer)
    what.change(
        GenericXLogRegisterBuffer(record, what.page, what.fresh ? GENERIC_XLOG_FULL_IMAGE : 0),
        what.argument);
  first->parts = Max(first->parts, what.place + 1);
  first->closed = first->closing = what.closed;
  if (absorbs) {
    first->late = late;
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
