#include "server/router.h"

#include <algorithm>

namespace vestige::server {
namespace {

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> out;
  path.remove_prefix(1);
  while (true) {
    const std::size_t end = std::min(path.find('/'), path.size());
    out.push_back(path.substr(0, end));
    if (end == path.size()) return out;
    path.remove_prefix(end + 1);
  }
}

// "{column}.svg": what stands before and behind the name.
bool fits(std::string_view pattern, std::string_view segment, std::vector<std::string>& words) {
  const std::size_t open = pattern.find('{');
  if (open == std::string_view::npos) return pattern == segment;
  const std::string_view tail = pattern.substr(pattern.find('}') + 1);
  if (segment.size() <= open + tail.size() || !segment.starts_with(pattern.substr(0, open)) ||
      !segment.ends_with(tail))
    return false;
  words.emplace_back(segment.substr(open, segment.size() - open - tail.size()));
  return true;
}

bool matches(const Route& route, const std::vector<std::string>& segments, Routed& found) {
  const auto pattern = segments_of(route.path);
  if (pattern.size() != segments.size()) return false;
  std::vector<std::string> words;
  Format format = Format::json;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    std::string_view segment = segments[i];
    // A list is also there under the names of its other forms; what stands for a name in braces may end like one.
    if (route.list && i + 1 == pattern.size() &&
        (route.own_names || pattern[i].find('{') == std::string_view::npos))
      for (const auto& [tail, one] :
           {std::pair<std::string_view, Format>(".csv", Format::csv), {".ndjson", Format::ndjson}})
        if (segment.ends_with(tail)) {
          segment.remove_suffix(tail.size());
          format = one;
          break;
        }
    if (!fits(pattern[i], segment, words)) return false;
  }
  found.words = std::move(words);
  found.format = format;
  return true;
}

}  // namespace

Routed find_route(const Request& request) {
  Routed found;
  for (const Route& route : routes()) {
    Routed here;
    if (!matches(route, request.segments, here)) continue;
    if (route.method != request.method) {
      found.other_method = true;
      continue;
    }
    here.route = &route;
    return here;
  }
  return found;
}

}  // namespace vestige::server
