#include "pgext/row_tuple.h"

namespace vestige::native {
namespace {

// Where a text goes with a header of one byte instead of four.
bool is_short(Size bytes) { return bytes + VARHDRSZ_SHORT <= VARATT_SHORT_MAX; }

Size bytes_of(Datum text) { return VARSIZE(DatumGetPointer(text)) - VARHDRSZ; }

Size size_of(TupleDesc layout, const Datum* values, const bool* nulls) {
  Size at = 0;
  for (int i = 0; i < layout->natts; ++i) {
    if (nulls[i]) continue;
    Form_pg_attribute attribute = TupleDescAttr(layout, i);
    if (attribute->attlen > 0) {
      at = att_align_nominal(at, attribute->attalign) + static_cast<Size>(attribute->attlen);
    } else if (const Size bytes = bytes_of(values[i]); is_short(bytes)) {
      at += VARHDRSZ_SHORT + bytes;
    } else {
      at = INTALIGN(at) + VARHDRSZ + bytes;
    }
  }
  return at;
}

char* put_text(char* out, const char* start, Datum text) {
  const Size bytes = bytes_of(text);
  if (is_short(bytes)) {
    SET_VARSIZE_SHORT(out, bytes + VARHDRSZ_SHORT);
    out += VARHDRSZ_SHORT;
  } else {
    out += INTALIGN(static_cast<Size>(out - start)) - static_cast<Size>(out - start);
    SET_VARSIZE(out, bytes + VARHDRSZ);
    out += VARHDRSZ;
  }
  std::memcpy(out, VARDATA(DatumGetPointer(text)), bytes);
  return out + bytes;
}

char* put_number(char* out, const char* start, Form_pg_attribute attribute, Datum number) {
  const auto at = static_cast<Size>(out - start);
  out += att_align_nominal(at, attribute->attalign) - at;
  store_att_byval(out, number, attribute->attlen);
  return out + attribute->attlen;
}

}  // namespace

bool simple(TupleDesc layout) {
  for (int i = 0; i < layout->natts; ++i) {
    Form_pg_attribute attribute = TupleDescAttr(layout, i);
    const bool number = attribute->attbyval && attribute->attlen > 0;
    const bool text = attribute->atttypid == TEXTOID && attribute->attstorage != TYPSTORAGE_PLAIN;
    if (!number && !text) return false;
  }
  return true;
}

HeapTuple row_tuple(TupleDesc layout, const Datum* values, const bool* nulls) {
  const int count = layout->natts;
  bool some_null = false;
  for (int i = 0; i < count; ++i) some_null = some_null || nulls[i];
  const Size head =
      MAXALIGN(SizeofHeapTupleHeader + (some_null ? static_cast<Size>(BITMAPLEN(count)) : 0));
  const Size size = head + size_of(layout, values, nulls);
  auto* tuple = static_cast<HeapTuple>(palloc0(HEAPTUPLESIZE + size));
  auto* row = static_cast<HeapTupleHeader>(
      static_cast<void*>(static_cast<char*>(static_cast<void*>(tuple)) + HEAPTUPLESIZE));
  tuple->t_len = static_cast<uint32>(size);
  tuple->t_data = row;
  ItemPointerSetInvalid(&tuple->t_self);
  ItemPointerSetInvalid(&row->t_ctid);
  HeapTupleHeaderSetNatts(row, count);
  row->t_hoff = static_cast<uint8>(head);
  if (some_null) row->t_infomask |= HEAP_HASNULL;
  const char* start = static_cast<char*>(static_cast<void*>(row)) + head;
  char* out = static_cast<char*>(static_cast<void*>(row)) + head;
  for (int i = 0; i < count; ++i) {
    if (nulls[i]) continue;
    if (some_null) row->t_bits[i >> 3] |= static_cast<bits8>(1 << (i & 7));
    Form_pg_attribute attribute = TupleDescAttr(layout, i);
    if (attribute->attlen > 0) {
      out = put_number(out, start, attribute, values[i]);
    } else {
      row->t_infomask |= HEAP_HASVARWIDTH;
      out = put_text(out, start, values[i]);
    }
  }
  return tuple;
}

}  // namespace vestige::native
