#include "pgext/row_tuple.h"

namespace vestige::native {
namespace {

// Where a text goes with a header of one byte instead of four.
bool is_short(Size bytes) { return bytes + VARHDRSZ_SHORT <= VARATT_SHORT_MAX; }

Size bytes_of(Datum text) { return VARSIZE(DatumGetPointer(text)) - VARHDRSZ; }

// The most that the values can take: each as far off its place as can be.
Size most_of(const RowLayout& layout, const Datum* values, const bool* nulls) {
  Size most = 0;
  for (int i = 0; i < layout.count; ++i) {
    if (nulls[i]) continue;
    most += layout.length[i] > 0 ? 2 * sizeof(Datum) : 2 * VARHDRSZ + bytes_of(values[i]);
  }
  return most;
}

char* align(char* out, const char* start, Size to) {
  while ((static_cast<Size>(out - start) & (to - 1)) != 0) *out++ = 0;
  return out;
}

char* put_text(char* out, const char* start, Datum text) {
  const Size bytes = bytes_of(text);
  if (is_short(bytes)) {
    SET_VARSIZE_SHORT(out, bytes + VARHDRSZ_SHORT);
    out += VARHDRSZ_SHORT;
  } else {
    out = align(out, start, ALIGNOF_INT);
    SET_VARSIZE(out, bytes + VARHDRSZ);
    out += VARHDRSZ;
  }
  std::memcpy(out, VARDATA(DatumGetPointer(text)), bytes);
  return out + bytes;
}

char* put_number(char* out, const char* start, int length, Datum number) {
  out = align(out, start, static_cast<Size>(length));
  switch (length) {
    case sizeof(char): *out = DatumGetChar(number); break;
    case sizeof(int16):
      *static_cast<int16*>(static_cast<void*>(out)) = DatumGetInt16(number);
      break;
    case sizeof(int32):
      *static_cast<int32*>(static_cast<void*>(out)) = DatumGetInt32(number);
      break;
    default: *static_cast<Datum*>(static_cast<void*>(out)) = number;
  }
  return out + length;
}

}  // namespace

bool row_layout(TupleDesc columns, RowLayout* out) {
  if (columns->natts > kMostColumns) return false;
  out->count = columns->natts;
  for (int i = 0; i < columns->natts; ++i) {
    Form_pg_attribute attribute = TupleDescAttr(columns, i);
    const bool number =
        attribute->attbyval && attribute->attlen > 0 &&
        att_align_nominal(1, attribute->attalign) == static_cast<uintptr_t>(attribute->attlen);
    const bool text = attribute->atttypid == TEXTOID && attribute->attstorage != TYPSTORAGE_PLAIN;
    if (!number && !text) return false;
    out->length[i] = static_cast<int8>(number ? attribute->attlen : 0);
  }
  return true;
}

HeapTuple row_tuple(const RowLayout& layout, const Datum* values, const bool* nulls) {
  bool some_null = false;
  for (int i = 0; i < layout.count; ++i) some_null = some_null || nulls[i];
  const Size head = MAXALIGN(SizeofHeapTupleHeader +
                             (some_null ? static_cast<Size>(BITMAPLEN(layout.count)) : 0));
  auto* space = static_cast<char*>(palloc(HEAPTUPLESIZE + head + most_of(layout, values, nulls)));
  std::memset(space, 0, HEAPTUPLESIZE + head);
  auto* tuple = static_cast<HeapTuple>(static_cast<void*>(space));
  auto* row = static_cast<HeapTupleHeader>(static_cast<void*>(space + HEAPTUPLESIZE));
  tuple->t_data = row;
  ItemPointerSetInvalid(&tuple->t_self);
  ItemPointerSetInvalid(&row->t_ctid);
  HeapTupleHeaderSetNatts(row, layout.count);
  row->t_hoff = static_cast<uint8>(head);
  if (some_null) row->t_infomask |= HEAP_HASNULL;
  const char* start = space + HEAPTUPLESIZE + head;
  char* out = space + HEAPTUPLESIZE + head;
  for (int i = 0; i < layout.count; ++i) {
    if (nulls[i]) continue;
    if (some_null) row->t_bits[i >> 3] |= static_cast<bits8>(1 << (i & 7));
    if (layout.length[i] > 0) {
      out = put_number(out, start, layout.length[i], values[i]);
    } else {
      row->t_infomask |= HEAP_HASVARWIDTH;
      out = put_text(out, start, values[i]);
    }
  }
  tuple->t_len = static_cast<uint32>(head + static_cast<Size>(out - start));
  return tuple;
}

}  // namespace vestige::native
