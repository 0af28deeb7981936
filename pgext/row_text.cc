#include "pgext/row_text.h"

#include <cctype>

namespace vestige::native {
namespace {

bool quoted(char c) {
  return c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' ||
         std::isspace(static_cast<unsigned char>(c)) != 0;
}

// One field by the rules of record_out.
void append_field(StringInfo out, const Text& field) {
  if (field.bytes == nullptr) return;
  bool quotes = field.length == 0;
  for (int i = 0; i < field.length && !quotes; ++i) quotes = quoted(field.bytes[i]);
  if (!quotes) {
    appendBinaryStringInfo(out, field.bytes, field.length);
    return;
  }
  appendStringInfoCharMacro(out, '"');
  for (int i = 0; i < field.length; ++i) {
    const char c = field.bytes[i];
    if (c == '"' || c == '\\') appendStringInfoCharMacro(out, c);
    appendStringInfoCharMacro(out, c);
  }
  appendStringInfoCharMacro(out, '"');
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
      return {buffer, pg_lltoa(number, buffer)};
#else
      pg_lltoa(number, buffer);
      return {buffer, static_cast<int>(std::strlen(buffer))};
#endif
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
  return {text, static_cast<int>(std::strlen(text))};
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
  StringInfoData out;
  initStringInfo(&out);
  appendStringInfoSpaces(&out, VARHDRSZ);
  appendStringInfoCharMacro(&out, '(');
  for (int i = 0; i < count; ++i) {
    if (i > 0) appendStringInfoCharMacro(&out, ',');
    if (kept == nullptr || kept[i]) append_field(&out, fields[i]);
  }
  appendStringInfoCharMacro(&out, ')');
  SET_VARSIZE(out.data, out.len);
  return static_cast<text*>(static_cast<void*>(out.data));
}

text* text_of(const Text& value) { return cstring_to_text_with_len(value.bytes, value.length); }

}  // namespace vestige::native
