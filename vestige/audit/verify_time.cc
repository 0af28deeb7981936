#include "vestige/audit/verify_time.h"

#include "vestige/base/time.h"

namespace vestige {
namespace {

// So much earlier is no hurry of two sessions, and no clock that is kept in time.
constexpr std::int64_t kMuch = std::int64_t{10} * 60 * 1'000'000;
constexpr std::int64_t kStep = kMuch / 2;
constexpr std::size_t kNamed = 10;

}  // namespace

std::optional<std::int64_t> entry_time(std::string_view line) {
  constexpr std::string_view kHead = R"(","at":")";
  constexpr std::size_t kLength = 27;
  const std::size_t head = line.find(kHead);  // a quote in the table's name is escaped
  if (head == std::string_view::npos || line.size() < head + kHead.size() + kLength)
    return std::nullopt;
  const auto at = read_time(line.substr(head + kHead.size(), kLength));
  if (!at.has_value() || *at == 0) return std::nullopt;
  return *at;
}

void TimeCheck::look(const StoredEntry& entry) {
  const auto at = entry_time(entry.line);
  if (!at.has_value()) return;
  auto next = latest_.upper_bound(entry.id);
  if (next != latest_.begin()) {
    const Latest& before = std::prev(next)->second;
    if (*at < before.at - kMuch) {
      if (++verdict_.early <= kNamed)
        verdict_.early_changes.push_back({entry.id, *at, before.id, before.at});
      return;
    }
    if (*at < before.at + kStep) return;
  }
  while (next != latest_.end() && next->second.at <= *at) next = latest_.erase(next);
  latest_.emplace(entry.id, Latest{*at, entry.id});
}

}  // namespace vestige
