// The text of values and rows, as PostgreSQL prints them: row(a, b, …)::text. Twin: vestige.capture_expressions in
// sql/postgres/install/expressions.sql; test/postgres_native_twin_test.cc compares them.
#pragma once

#include "pgext/server.h"

namespace vestige::native {

/// What a row does with a value's text: known from its type, or to be found out.
enum class Quoting : uint8 { unknown, none, plain };

/// A value's text; a null value has no bytes.
struct Text {
  const char* bytes;
  int length;
  Quoting quoting = Quoting::unknown;
};

inline bool same(const Text& a, const Text& b) {
  if (a.bytes == nullptr || b.bytes == nullptr) return a.bytes == b.bytes;
  return a.length == b.length && std::memcmp(a.bytes, b.bytes, static_cast<size_t>(a.length)) == 0;
}

struct Class;

/// A recorded column of a relation.
struct Column {
  AttrNumber attnum;
  int16 length;  // of the type: pg_type.typlen
  bool by_value;
  bool
      builtin;  // the server's own output function: `printer` is kept; others are looked up each time
  Oid output;
  FmgrInfo printer;
  bool redacted;      // that it changed is written down, and no value
  Class* encrypted;   // of which class tokens are (data_key.h); null: its values are in clear
  const char* place;  // what a token is bound to
};

/// Prints one value, in the current memory context.
Text printed(Column& column, Datum value);

/// Whether two values are the same to the bit, however they are stored.
bool same_image(const Column& column, Datum a, Datum b);

/// A row of some texts as one text datum; fields that are left out (`kept` says no) are empty.
text* row_text(const Text* fields, const bool* kept, int count);

/// A text datum.
text* text_of(const Text& value);

}  // namespace vestige::native
