// Names with * for any letters: "svc-*". Tests: filter_test.cc, test/signed_context_test.cc.
#pragma once

#include <cstddef>
#include <string_view>

namespace vestige {

/// Whether a text is as the pattern has it; * stands for any letters, also none: each piece at the first place that it has after
/// the last.
constexpr bool fits_pattern(std::string_view text, std::string_view pattern) {
  const std::size_t first = pattern.find('*');
  if (first == pattern.npos) return text == pattern;
  if (!text.starts_with(pattern.substr(0, first))) return false;
  text.remove_prefix(first);
  pattern.remove_prefix(first + 1);
  for (std::size_t star = pattern.find('*'); star != pattern.npos; star = pattern.find('*')) {
    const std::size_t place = text.find(pattern.substr(0, star));
    if (place == text.npos) return false;
    text.remove_prefix(place + star);
    pattern.remove_prefix(star + 1);
  }
  return text.ends_with(pattern);
}

}  // namespace vestige
