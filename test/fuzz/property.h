// What a fuzz target promises, said in one line; a broken promise stops the program with its name.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace vestige::fuzz {

inline void must(bool holds, std::string_view promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(promise.size()), promise.data());
  std::abort();
}

}  // namespace vestige::fuzz
