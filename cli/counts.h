// Numbers as people read them, and what progress says with them. Test: counts_test.cc.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace vestige::cli {

/// 12000 as "12,000"
inline std::string grouped(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (count < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

/// "1 change", "12,000 changes"
inline std::string counted(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(count), noun, count == 1 ? "" : "s");
}

/// "vestige verify … 3 s, 120,000 so far, 40,000/s"
///
/// of   how many there are, and then no rate: of a few tables it says nothing; 0: nobody knows
inline std::string progress_text(std::string_view what, std::int64_t seconds, std::int64_t steps,
                                 std::int64_t of) {
  std::string text = fmt::format("{} … {} s", what, seconds);
  if (of > 0) return text + fmt::format(", {} of {}", grouped(steps), grouped(of));
  if (steps == 0) return text;
  return text + fmt::format(", {} so far, {}/s", grouped(steps), grouped(steps / seconds));
}

}  // namespace vestige::cli
