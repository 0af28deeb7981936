#include "pgext/heap_keys.h"

namespace vestige::native {
namespace {

// Columns before a null-less prefix's end have the same offset in every row when all of them are of fixed length.
int fixed_offset(TupleDesc layout, AttrNumber column) {
  constexpr AttrNumber kInFirstByteOfNulls = 8;
  if (column > kInFirstByteOfNulls) return -1;
  int at = 0;
  for (int i = 0; i < column; ++i) {
    Form_pg_attribute attribute = TupleDescAttr(layout, i);
    if (attribute->attlen <= 0) return -1;
    at = static_cast<int>(att_align_nominal(at, attribute->attalign));
    if (i + 1 < column) at += attribute->attlen;
  }
  return at;
}

// Whether the row has the columns up to this one, none of them null.
bool plain_up_to(const HeapTupleHeaderData* row, AttrNumber column) {
  if (HeapTupleHeaderGetNatts(row) < column) return false;
  const auto wanted = static_cast<uint8>((1U << column) - 1);
  return (row->t_infomask & HEAP_HASNULL) == 0 || (row->t_bits[0] & wanted) == wanted;
}

bool key_of(const Keyed& table, HeapTupleHeader row, ItemId item, int64* key) {
  if (table.offset >= 0 && plain_up_to(row, table.column)) {
    std::memcpy(key, reinterpret_cast<const char*>(row) + row->t_hoff + table.offset, sizeof(*key));
    return true;
  }
  HeapTupleData tuple;
  tuple.t_len = ItemIdGetLength(item);
  tuple.t_data = row;
  tuple.t_tableOid = RelationGetRelid(table.heap);
  bool null = false;
  const Datum value = heap_getattr(&tuple, table.column, RelationGetDescr(table.heap), &null);
  if (!null) *key = DatumGetInt64(value);
  return !null;
}

// The rows of a block are far apart for a processor: asks for one that comes soon, up to its key.
void fetch_ahead(Page page, OffsetNumber at, OffsetNumber last) {
  constexpr OffsetNumber kAhead = 6;
  constexpr int kCacheLine = 64;
  if (at + kAhead > last) return;
  const char* row = page + ItemIdGetOffset(PageGetItemId(page, at + kAhead));
  __builtin_prefetch(row);
  __builtin_prefetch(row + kCacheLine);
}

}  // namespace

Keyed keyed(Relation heap, Relation index) {
  const AttrNumber column = index->rd_index->indkey.values[0];
  return {heap, column, fixed_offset(RelationGetDescr(heap), column)};
}

int read_block(const Keyed& table, BlockNumber block, const int64* null_key, Entry* out) {
  Buffer buffer = ReadBuffer(table.heap, block);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  Page page = BufferGetPage(buffer);
  const OffsetNumber last = PageIsNew(page) ? 0 : PageGetMaxOffsetNumber(page);
  OffsetNumber roots[kMostInBlock];
  bool rooted = false;
  int count = 0;
  for (OffsetNumber at = FirstOffsetNumber; at <= last; ++at) {
    fetch_ahead(page, at, last);
    ItemId item = PageGetItemId(page, at);
    if (!ItemIdIsNormal(item)) continue;
    auto* row = static_cast<HeapTupleHeader>(static_cast<void*>(PageGetItem(page, item)));
    OffsetNumber root = at;
    if (HeapTupleHeaderIsHeapOnly(row)) {
      if (!rooted) heap_get_root_tuples(page, roots);
      rooted = true;
      root = roots[at - 1];
      if (root == InvalidOffsetNumber) continue;
    }
    int64 key = 0;
    uint64 null = 0;
    if (!key_of(table, row, item, &key)) {
      if (null_key == nullptr) continue;
      key = *null_key;
      null = kNull;
    }
    out[count++] = {key, place_of(block, root) | null};
  }
  UnlockReleaseBuffer(buffer);
  return count;
}

}  // namespace vestige::native
