#include "vestige/db/sqlite_values.h"

namespace vestige {

Value value_of(sqlite3_value* value) {
  const auto bytes = [&](const void* data) {
    const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
    return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
  };
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: return sqlite3_value_int64(value);
    case SQLITE_FLOAT: return sqlite3_value_double(value);
    case SQLITE_TEXT: return Text{bytes(sqlite3_value_text(value))};
    case SQLITE_BLOB: return Blob{bytes(sqlite3_value_blob(value))};
    default: return Null{};
  }
}

void give(sqlite3_context* context, const Value& value) {
  struct Giver {
    sqlite3_context* context;
    void operator()(Null) const { sqlite3_result_null(context); }
    void operator()(std::int64_t integer) const { sqlite3_result_int64(context, integer); }
    void operator()(double real) const { sqlite3_result_double(context, real); }
    void operator()(const Text& text) const {
      sqlite3_result_text64(context, text.bytes.data(), text.bytes.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8);
    }
    void operator()(const Blob& blob) const {
      sqlite3_result_blob64(context, blob.bytes.empty() ? "" : blob.bytes.data(), blob.bytes.size(),
                            SQLITE_TRANSIENT);
    }
    void operator()(const Token& token) const { (*this)(Text{token.text}); }
  };
  std::visit(Giver{context}, value);
}

}  // namespace vestige
