// Canonical: the bytes of a change that its entry is bound to (docs/format.md, "Canonical bytes").
//
//   values   {"old":{"price":99900},"new":{"price":94900}}
//   key      {"key":{"id":1},"new_key":{"id":2}}
//   context  {"db_user":"app","fields":{"actor":"ann","reason":"sale"}}
//
// They are made from what is stored, never from what a database prints today.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vestige {

/// Text as canonical bytes have it: a JSON string, or {"$text":"hex"} where it is not UTF-8.
void append_canonical_text(std::string& out, std::string_view text);

/// Bytes that are not UTF-8 replaced by U+FFFD, one for each: what names are written as.
std::string as_utf8(std::string_view bytes);

/// Writes one canonical object from the left to the right. Sections hold fields; a context has fields
/// before its section.
///
///   Canonical values;
///   values.section("old");
///   values.token("price", "99900");
///   values.section("new");
///   values.token("price", "94900");
///   std::move(values).take();
class Canonical {
 public:
  /// Begins "old", "new", "key" or "new_key"; ends the section before.
  void section(std::string_view name);
  /// A field whose value is a JSON token in canonical form already (record/value).
  void token(std::string_view name, std::string_view token);
  /// A field whose value is a text, or null.
  void text(std::string_view name, std::optional<std::string_view> text);

  /// The object, whole.
  std::string take() &&;

 private:
  void name(std::string_view name);

  std::string out_ = "{";
  bool in_section_ = false;
};

}  // namespace vestige
