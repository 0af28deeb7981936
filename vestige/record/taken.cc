#include "vestige/record/taken.h"

#include <algorithm>

namespace vestige {

std::vector<TakenPart> taken_parts(std::string_view list) {
  std::vector<TakenPart> parts;
  if (list.empty()) return parts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string_view words = list.substr(begin, end - begin);
    parts.push_back({words.substr(0, words.find('=')), words});
    begin = end + 1;
  }
  return parts;
}

bool takes(std::string_view list, std::string_view name) {
  const auto parts = taken_parts(list);
  return std::any_of(parts.begin(), parts.end(),
                     [&](const TakenPart& part) { return part.name == name; });
}

bool takes_so(std::string_view list, std::string_view words) {
  const auto parts = taken_parts(list);
  return std::any_of(parts.begin(), parts.end(),
                     [&](const TakenPart& part) { return part.words == words; });
}

}  // namespace vestige
