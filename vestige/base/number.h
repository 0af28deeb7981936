// Whole numbers as they are written. Test: number_test.cc.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace vestige {

/// The number that a text is, all of it; nothing where it is none, or one that does not fit.
template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

}  // namespace vestige
