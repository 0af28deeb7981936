// Capital letters as small ones, A to Z, whatever the locale: how SQL's words and SQLite's names compare.
#pragma once

#include <string>
#include <string_view>

namespace vestige {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

}  // namespace vestige
