// JSON at the level of tokens: a writer that escapes, and a reader that never turns a number into a
// double. Numbers stay text until somebody who knows the column's type reads them.
// Fuzzed by test/fuzz/value_fuzz.cc.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "vestige/base/result.h"

namespace vestige::json {

/// True when the bytes are well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view bytes);

/// Appends a JSON string literal. The bytes must be UTF-8 (see is_utf8).
void append_string(std::string& out, std::string_view bytes);

/// "..." of the bytes.
std::string quote(std::string_view bytes);

/// Appends lower-case hex.
void append_hex(std::string& out, std::string_view bytes);

/// Reads hex of either case.
///
/// faults   invalid: odd length or a character that is not hex
Result<std::string> from_hex(std::string_view hex);

enum class Kind { null, boolean, number, string, array, object };

/// One value as it stands in the text.
struct Span {
  Kind kind = Kind::null;
  std::string_view text = {};  // exactly the token, without surrounding space
};

/// Reads values one after the other. Views point into the text that was given.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  /// The next value, whole, checked for well-formedness, however deep it is nested.
  ///
  /// faults   invalid
  Result<Span> value();

  /// Steps into the object or array that stands next.
  Result<void> open(char bracket);
  /// True when the object or array ended and was closed; otherwise a comma was taken where one is due.
  Result<char> more(char bracket);  // 'y' another member follows, 'n' it ended
  /// The next object key, unescaped, and its colon.
  Result<std::string> key();
  /// Nothing but space is left.
  Result<void> end();

 private:
  void space();
  Result<void> skip();
  Result<void> skip_simple();
  Result<void> skip_key();
  Result<void> skip_string();
  Result<void> skip_number();

  std::string_view text_;
  std::size_t at_ = 0;
  bool first_ = true;
};

/// The bytes of a string token.
///
/// faults   invalid: not a string token, or an escape that means nothing
Result<std::string> unquote(std::string_view token);

}  // namespace vestige::json
