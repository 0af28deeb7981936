#include "pgext/row_text.h"

#include "pgext/moment.h"

#include <cctype>

namespace vestige::native {
namespace {

// How record_out treats a byte: 0 as it is; 1 the field is quoted; 2 it is doubled, too.
uint8 treatment[256];
bool known = false;

void look_at_bytes() {
  for (int c = 0; c < 256; ++c) {
    const bool doubled = c == '"' || c == '\\';
    const bool quoted = c == '(' || c == ')' || c == ',' || std::isspace(c) != 0;
    treatment[c] = doubled ? 2 : quoted ? 1 : 0;
  }
  known = true;
}

// How many more bytes a field takes for its quotes and what is doubled, by the rules of record_out; 0: as it is.
int more_for(const Text& field) {
  if (field.quoting == Quoting::none) return 0;
  if (field.quoting == Quoting::plain) return 2;
  uint8 any = 0;
  int doubled = 0;
  for (int i = 0; i < field.length; ++i) {
    const uint8 one = treatment[static_cast<unsigned char>(field.bytes[i])];
    any |= one;
    doubled += one >> 1;
  }
  return any != 0 || field.length == 0 ? 2 + doubled : 0;
}

char* append(char* out, const char* bytes, int length) {
  constexpr int kFew = 16;
  if (length > kFew) {
    std::memcpy(out, bytes, static_cast<size_t>(length));
  } else {
    for (int i = 0; i < length; ++i) out[i] = bytes[i];
  }
  return out + length;
}

char* append_field(char* out, const Text& field, int more) {
  if (more == 0) return append(out, field.bytes, field.length);
  *out++ = '"';
  if (more == 2) {
    out = append(out, field.bytes, field.length);
  } else {
    for (int i = 0; i < field.length; ++i) {
      const char c = field.bytes[i];
      if (treatment[static_cast<unsigned char>(c)] == 2) *out++ = c;
      *out++ = c;
    }
  }
  *out++ = '"';
  return out;
}

}  // namespace

Text printed(Column& column, Datum value) {
  switch (column.output) {
    case F_INT2OUT:
    case F_INT4OUT:
    case F_INT8OUT: {
      auto* buffer = static_cast<char*>(palloc(MAXINT8LEN + 1));
      const int64 number = column.output == F_INT2OUT   ? DatumGetInt16(value)
                           : column.output == F_INT4OUT ? DatumGetInt32(value)
                                                        : DatumGetInt64(value);
#if PG_VERSION_NUM >= 140000
      return {buffer, pg_lltoa(number, buffer), Quoting::none};
#else
      pg_lltoa(number, buffer);
      return {buffer, static_cast<int>(std::strlen(buffer)), Quoting::none};
#endif
    }
    case F_BOOLOUT: return {DatumGetBool(value) ? "t" : "f", 1, Quoting::none};
    case F_DATE_OUT:
    case F_TIMESTAMP_OUT:
    case F_TIMESTAMPTZ_OUT: {
      const Text text = printed_moment(column.output, value);
      if (text.bytes != nullptr) return text;
      break;
    }
    case F_TEXTOUT:
    case F_VARCHAROUT:
    case F_BPCHAROUT: {
      const struct varlena* plain = pg_detoast_datum_packed(
          static_cast<struct varlena*>(static_cast<void*>(DatumGetPointer(value))));
      return {VARDATA_ANY(plain), static_cast<int>(VARSIZE_ANY_EXHDR(plain))};
    }
    default: break;
  }
  if (!column.builtin) fmgr_info(column.output, &column.printer);
  const char* text = OutputFunctionCall(&column.printer, value);
  return {text, static_cast<int>(std::strlen(text)),
          column.output == F_NUMERIC_OUT ? Quoting::none : Quoting::unknown};
}

bool same_image(const Column& column, Datum a, Datum b) {
  if (column.length == -1) {
    // The same bytes, compressed or elsewhere, are the same value: nothing is fetched for it.
    const void* one = DatumGetPointer(a);
    const void* other = DatumGetPointer(b);
    if (VARSIZE_ANY(one) == VARSIZE_ANY(other) && std::memcmp(one, other, VARSIZE_ANY(one)) == 0)
      return true;
  }
  return datum_image_eq(a, b, column.by_value, column.length);
}

text* row_text(const Text* fields, const bool* kept, int count) {
  if (!known) look_at_bytes();
  // How many more bytes each takes; kLeftOut: it is empty.
  constexpr int kLeftOut = -1;
  auto* more = static_cast<int*>(palloc(sizeof(int) * static_cast<size_t>(count)));
  Size size = VARHDRSZ + 2 + static_cast<Size>(count);
  for (int i = 0; i < count; ++i) {
    if (fields[i].bytes == nullptr || (kept != nullptr && !kept[i])) {
      more[i] = kLeftOut;
    } else {
      more[i] = more_for(fields[i]);
      size += static_cast<Size>(fields[i].length) + static_cast<Size>(more[i]);
    }
  }
  auto* row = static_cast<text*>(palloc(size));
  char* out = VARDATA(row);
  *out++ = '(';
  for (int i = 0; i < count; ++i) {
    if (i > 0) *out++ = ',';
    if (more[i] != kLeftOut) out = append_field(out, fields[i], more[i]);
  }
  *out++ = ')';
  SET_VARSIZE(row, out - static_cast<char*>(static_cast<void*>(row)));
  return row;
}

text* text_of(const Text& value) { return cstring_to_text_with_len(value.bytes, value.length); }

}  // namespace vestige::native
