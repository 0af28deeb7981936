// What the formats of events have in common: JSON member by member, and texts that others take. Test: event_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vestige/record/change.h"

namespace vestige {

inline constexpr std::int64_t kMicrosOfMilli = 1000;  // events tell their time in milliseconds

/// UTF-8, whatever the bytes are: U+FFFD stands for each that is none.
std::string readable(std::string_view bytes);
/// The same, and for control characters, which some formats may not have in a text.
std::string printable_text(std::string_view bytes);

/// At most so many bytes, without a part of a letter; what is cut ends in "…".
std::string cut(std::string text, std::size_t most);

/// A value as people write it: texts bare.
std::string plain(const Value& value);
/// A key as people write it: "17", or "order_id=7, line=2".
std::string plain(const Row& key);

/// Four or six: the version of the protocol whose address this is; 0: it is none.
int ip_version(const std::string& address);

/// Of a W3C traceparent, the 32 hex digits that name the trace; nothing when it is none.
std::optional<std::string> trace_id(const Context& context);

/// "UPDATE products 17"
std::string headline(const Change& change);

/// An object of JSON that ends where it goes out of scope.
class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out), begin_(out.size() + 1) { out_ += '{'; }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;
  ~JsonObject() { out_ += '}'; }

  /// Where the value of a member goes.
  std::string& member(std::string_view name);
  void text(std::string_view name, std::string_view bytes);
  /// Nothing where there is no text.
  void text(std::string_view name, const std::string* bytes);
  void number(std::string_view name, std::int64_t number);
  void json(std::string_view name, std::string_view value) { member(name) += value; }

 private:
  std::string& out_;
  std::size_t begin_;
};

/// What a format has no place for, under the names of docs/json.md: the index, key and values, transaction, context.
///
/// change   as it goes out (Outgoing)
void append_record(JsonObject& object, const Change& change);

}  // namespace vestige
