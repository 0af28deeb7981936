// Difference: what of a long text, or of a JSON document, another one has instead.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vestige {

/// A piece of two texts: in both, only in the one before, only in the one after.
struct TextPiece {
  enum class Kind { same, before, after };
  Kind kind = Kind::same;
  std::string text;
  bool operator==(const TextPiece&) const = default;
};

/// Two texts word by word: the pieces of `before` are its bytes, those of `after` are its.
///
/// cost     what stands before the first and after the last difference in words, times words; above a million of them
///          it is one piece that went and one that came
std::vector<TextPiece> word_difference(std::string_view before, std::string_view after);

/// A place in a JSON document whose value went, came, or became another.
struct JsonEdit {
  std::string path;                   // address.city, tags[2]; "a.b" where a name is no word
  std::optional<std::string> before;  // JSON
  std::optional<std::string> after;
  bool operator==(const JsonEdit&) const = default;
};

/// Two JSON documents, place by place; nothing where not both are objects, or both arrays. Of a name that an object
/// gives twice the last holds. Numbers are compared as they are written.
std::optional<std::vector<JsonEdit>> json_difference(std::string_view before,
                                                     std::string_view after);

}  // namespace vestige
