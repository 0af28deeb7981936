// Value: one column's value, exact to the bit, and its canonical JSON text.
//
//   null                         null
//   integer                      123
//   real                         1.5  2.0  1e+300  -0.0      shortest text that reads back the same bits
//   real, not finite             {"$real":"Inf"}  {"$real":"-Inf"}
//   text                         "..."                       JSON escapes; NUL is \u0000
//   text that is not UTF-8       {"$text":"68ff"}            hex of its bytes
//   blob                         {"$blob":"00ff"}            hex, lower case
//   json                         as the database printed it  (databases whose values are JSON tokens)
//   not there: too large to be recorded     {"$unrecorded":true}
//              only a private key opens it   {"$encrypted":"base64"}     (policy encrypt)
//              kept out of the trail         {"$redacted":true}          (policy redact, erase --column)
//
// Integers and reals stay apart: a real always has a point, an exponent, or {"$real"}.
// The grammar stands in docs/json.md; the fuzz target is test/fuzz/value_fuzz.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "vestige/base/result.h"

namespace vestige {

struct Null {
  bool operator==(const Null&) const = default;
};
struct Text {
  std::string bytes;
  bool operator==(const Text&) const = default;
};
struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};
/// A JSON token kept as text, so that no digit of a number is lost.
struct Token {
  std::string text;
  std::string of = {};  // of an encrypted value the class of keys, where that is known
  bool operator==(const Token& other) const { return text == other.text; }
};

using Value = std::variant<Null, std::int64_t, double, Text, Blob, Token>;

/// A value that was too large to be recorded.
Value unrecorded();

/// A value that the trail does not have, because the policy of its table keeps it out.
Value redacted();

/// A value that only a private key of the class opens: its token (vestige/encryption/token.h), as base64; empty where it waits for being
/// encrypted.
Value encrypted(std::string_view token, std::string_view of);

/// Its token, as base64; nothing where the value is none that is encrypted.
std::optional<std::string> encrypted_token(const Value& value);

/// In the place of a value that is not there: it was too large, is encrypted, or redacted. Nothing can be put back from it.
bool is_withheld(const Value& value);

/// Null, whether the database gives values as they are or as JSON.
bool is_null(const Value& value);

/// Same storage class and same bits: 1 and 1.0 differ, 0.0 and -0.0 differ, NaN equals itself.
bool identical(const Value& left, const Value& right);

/// Equal as a database's = sees numbers (1 = 1.0); otherwise identical.
bool same_key(const Value& left, const Value& right);

/// The canonical JSON text of a value (see the head of this file).
std::string to_json(const Value& value);
void append_json(std::string& out, const Value& value);

/// A text as JSON, also when it is not UTF-8.
std::string text_json(std::string_view text);
/// A text that says something; one that is empty is null.
Value text_or_null(std::string_view text);
/// Texts as a JSON array.
std::string list_json(const std::vector<std::string>& texts);
/// The texts of a JSON array.
///
/// faults   invalid: not an array of texts
Result<std::vector<std::string>> list_from_json(std::string_view array);

/// A number with all of its digits, as compare_numbers reads it; nothing for what is none that is finite.
std::optional<std::string> numeral(const Value& value);

/// Reads canonical JSON text back.
///
/// faults   invalid: not a value, or trailing text
Result<Value> value_from_json(std::string_view text);

/// Text for people: text bare, numbers as in JSON, null as "null", blobs as x'00ff'.
std::string to_display(const Value& value);

/// A column and its value; a row keeps the order of the table's columns.
struct Field {
  std::string name;
  Value value;
};
using Row = std::vector<Field>;

/// The value of a column, or nullptr.
const Value* find(const Row& row, std::string_view name);
/// The same of a row that may not be there.
const Value* find(const std::optional<Row>& row, std::string_view name);

/// What a column holds as people read it; "" where it is null, or not there.
std::string text_in(const std::optional<Row>& row, std::string_view name);

/// {"id":1,"name":"x"} in row order.
std::string to_json(const Row& row);

/// Reads an object of canonical values back, in the order of its keys.
///
/// faults   invalid: not an object of values, a key given twice, or trailing text
Result<Row> row_from_json(std::string_view text);

}  // namespace vestige
