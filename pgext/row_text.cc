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

// One field by the rules of record_out, of which it is known how many bytes are doubled.
char* append_field(char* out, const Text& field, bool quotes, int doubled) {
  if (quotes) *out++ = '"';
  if (doubled == 0) {
    std::memcpy(out, field.bytes, static_cast<size_t>(field.length));
    out += field.length;
  } else {
    for (int i = 0; i < field.length; ++i) {
      const char c = field.bytes[i];
      if (treatment[static_cast<unsigned char>(c)] == 2) *out++ = c;
      *out++ = c;
    }
  }
  if (quotes) *out++ = '"';
  return out;
}

struct Need {
  bool quotes;
  int doubled;
};

Need need_of(const Text& field) {
  if (field.quoting != Quoting::unknown) return {field.quoting == Quoting::plain, 0};
  uint8 any = 0;
  int doubled = 0;
  for (int i = 0; i < field.length; ++i) {
    const uint8 one = treatment[static_cast<unsigned char>(field.bytes[i])];
    any |= one;
    doubled += one >> 1;
  }
  return {any != 0 || field.length == 0, doubled};
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
  const auto present = [=](int i) {
    return fields[i].bytes != nullptr && (kept == nullptr || kept[i]);
  };
  auto* needs = static_cast<Need*>(palloc(sizeof(Need) * static_cast<size_t>(count)));
  Size size = VARHDRSZ + 2 + static_cast<Size>(count);
  for (int i = 0; i < count; ++i) {
    if (!present(i)) continue;
    needs[i] = need_of(fields[i]);
    size += static_cast<Size>(fields[i].length) + static_cast<Size>(needs[i].doubled) + 2;
  }
  auto* row = static_cast<text*>(palloc(size));
  char* out = VARDATA(row);
  *out++ = '(';
  for (int i = 0; i < count; ++i) {
    if (i > 0) *out++ = ',';
    if (present(i)) out = append_field(out, fields[i], needs[i].quotes, needs[i].doubled);
  }
  *out++ = ')';
  SET_VARSIZE(row, out - static_cast<char*>(static_cast<void*>(row)));
  return row;
}

text* text_of(const Text& value) { return cstring_to_text_with_len(value.bytes, value.length); }

}  // namespace vestige::native
