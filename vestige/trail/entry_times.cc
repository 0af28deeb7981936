#include "vestige/trail/entry_times.h"

#include <algorithm>

#include "vestige/base/time.h"
#include "vestige/merkle/tile.h"
#include "vestige/trail/changes.h"

namespace vestige {
namespace {

// So much earlier is no hurry of two sessions, and no clock that is kept in time.
constexpr std::int64_t kMuch = std::int64_t{10} * 60 * 1'000'000;
constexpr std::int64_t kStep = kMuch / 2;
constexpr std::uint64_t kBundlesAtOnce = 64;

// The id and the time of each entry of some bundles, in the tree's order.
template <class See>
Result<void> each_time(EvidenceStore& store, std::uint64_t from, std::uint64_t end, See see) {
  for (; from < end; from += kBundlesAtOnce)
    for (const Bundle& bundle : TRY(store.bundles(from, std::min(end, from + kBundlesAtOnce))))
      for (const std::string_view line : TRY(merkle::entries_of(bundle.entries, bundle.width))) {
        const auto id = entry_id(line);
        const auto at = entry_time(line);
        if (id.has_value() && at.has_value()) see(*id, *at);
      }
  return {};
}

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

std::optional<EntryTimes::Before> EntryTimes::before(std::int64_t id, std::int64_t at) const {
  const auto next = latest_.lower_bound(id);
  if (next == latest_.begin()) return std::nullopt;
  const Latest& latest = std::prev(next)->second;
  if (at >= latest.at - kMuch) return std::nullopt;
  return Before{latest.id, latest.at};
}

std::optional<EntryTimes::Before> EntryTimes::look(std::int64_t id, std::int64_t at) {
  if (auto found = before(id, at); found.has_value()) return found;
  if (at > now_ + kClockSlack) return std::nullopt;
  auto next = latest_.upper_bound(id);
  if (next != latest_.begin() && at < std::prev(next)->second.at + kStep) return std::nullopt;
  while (next != latest_.end() && next->second.at <= at) next = latest_.erase(next);
  latest_.emplace(id, Latest{at, id});
  return std::nullopt;
}

Result<void> EntryTimes::look_up_to(EvidenceStore& store, std::uint64_t end) {
  TRY(each_time(store, bundles_, end, [this](std::int64_t id, std::int64_t at) { look(id, at); }));
  bundles_ = std::max(bundles_, end);
  return {};
}

Result<std::int64_t> last_counted_before(Database& db, std::int64_t at) {
  EvidenceStore store(db);
  const std::uint64_t size = TRY(store.standing()).size;
  const std::uint64_t end = (size + merkle::kTileWidth - 1) / merkle::kTileWidth;
  EntryTimes times(clock_now());
  TRY(times.look_up_to(store, end));
  std::int64_t last = 0;
  const auto see = [&](std::int64_t id, std::int64_t said) {
    const auto before = times.before(id, said);
    if ((before.has_value() ? before->at : said) < at) last = std::max(last, id);
  };
  TRY(each_time(store, 0, end, see));
  Selection selection;
  selection.until = at;
  selection.forgiving = true;
  const auto changes = TRY(read_changes(db, selection));
  while (const auto change = TRY(changes->next())) see(change->id, change->at);
  return last;
}

}  // namespace vestige
