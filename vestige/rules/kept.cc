#include "vestige/rules/kept.h"

#include <charconv>

namespace vestige {

std::string write_numbers(std::span<const std::int64_t> numbers) {
  std::string out;
  for (const std::int64_t number : numbers)
    out += (out.empty() ? "" : " ") + std::to_string(number);
  return out;
}

std::optional<std::vector<std::int64_t>> read_numbers(std::string_view text) {
  std::vector<std::int64_t> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + end, number);
    if (read.ec != std::errc() || read.ptr != text.data() + end) return std::nullopt;
    out.push_back(number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace vestige
