#include "vestige/audit/verify_expiries.h"

#include <map>

#include "vestige/audit/verify_time.h"
#include "vestige/base/time.h"
#include "vestige/base/zone.h"
#include "vestige/merkle/tree.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/retention.h"

namespace vestige {
namespace {

// What of an EXPIRE's times is not so; "": nothing.
std::string untimely(const Expiry& said, std::int64_t at,
                     const std::optional<std::int64_t>& since) {
  if (at > clock_now() + kClockSlack)
    return fmt::format("it is of {}, a time to come", format_time(at));
  if (since.has_value() && said.horizon <= *since) return "";
  return fmt::format("it took what was made before {}, and what is kept for {} was not over then",
                     format_time(said.horizon), said.keep);
}

}  // namespace

Result<void> ExpiryCheck::load() {
  Selection expires;
  expires.ops = {Op::expire};
  std::map<std::int64_t, std::int64_t> times;
  auto changes = TRY(read_changes(db_, expires));
  while (const auto change = TRY(changes->next())) times[change->id] = change->at;
  const TimeZone utc = TRY(TimeZone::named("UTC"));
  for (Expiry& one : TRY(ExpiryStore(db_).all())) {
    Seen& seen = expiries_[one.change];
    seen.at = times[one.change];
    seen.kept_since = kept_since(seen.at + kClockSlack, one.keep, utc);
    seen.untimely = untimely(one, seen.at, seen.kept_since);
    seen.said = std::move(one);
  }
  return {};
}

Result<void> ExpiryCheck::mark(std::vector<StoredEntry>& entries) {
  if (expiries_.empty() || entries.empty()) return {};
  const auto leaves = TRY(ExpiryStore(db_).leaves(entries.front().index / merkle::kTileWidth,
                                                  entries.back().index / merkle::kTileWidth + 1));
  for (StoredEntry& entry : entries) {
    const auto of_bundle = leaves.find(entry.index / merkle::kTileWidth);
    if (of_bundle == leaves.end()) continue;
    for (const auto& [change, which] : of_bundle->second) {
      const auto expiry = expiries_.find(change);
      if (expiry == expiries_.end() || !which.has(entry.index % merkle::kTileWidth)) continue;
      Seen& seen = expiry->second;
      ++seen.count;
      seen.leaves.update(view(merkle::leaf_hash(entry.line)));
      const auto parsed = parse_entry(entry.line);
      if (!parsed.has_value() || parsed->table_id != seen.said.table ||
          parsed->at >= seen.said.horizon || entry.id < seen.said.first ||
          entry.id > seen.said.last || entry.expired_by != 0)
        seen.others = true;
      // What was a time to come when it expired was no measure then.
      if (seen.kept_since.has_value() && entry.counts_from >= *seen.kept_since &&
          entry.counts_from <= seen.at)
        seen.set_back = entry.id;
      entry.expired_by = change;
      if (parsed.has_value()) holds_.expired(change, *parsed);
    }
  }
  return {};
}

Result<void> ExpiryCheck::report(std::int64_t change, const std::string& why) {
  ++verdict_.discrepancies;
  return sink_.found(
      {.code = "expired-otherwise",
       .change = change,
       .message = fmt::format("change {} (EXPIRE) does not say what went: {}", change, why)});
}

Result<void> ExpiryCheck::finish(const std::map<std::int64_t, std::uint64_t>& gone,
                                 const std::function<bool(std::int64_t)>& sealed) {
  for (auto& [change, seen] : expiries_) {
    const auto went = gone.find(change);
    const std::uint64_t count = went == gone.end() ? 0 : went->second;
    verdict_.expired += count;
    const std::uint64_t before = verdict_.discrepancies;
    if (seen.others)
      TRY(report(change,
                 "among the entries that it names are others than those of its table "
                 "and time"));
    else if (seen.count != seen.said.changes)
      TRY(report(change, fmt::format("it says that {} changes went, and names {}",
                                     seen.said.changes, seen.count)));
    else if (view(seen.leaves.finish()) != seen.said.digest)
      TRY(report(change, "the entries that it names have another digest"));
    else if (!seen.untimely.empty()) TRY(report(change, seen.untimely));
    else if (seen.set_back != 0)
      TRY(report(change, fmt::format("change {} says an earlier time than those before it, and what"
                                     " is kept for {} was not over then",
                                     seen.set_back, seen.said.keep)));
    else if (count != seen.count)
      TRY(report(change,
                 fmt::format("of the {} changes that it names {} are gone", seen.count, count)));
    if (verdict_.discrepancies != before) continue;
    verdict_.expiries.push_back({change, count, seen.said.retention, seen.said.keep,
                                 seen.said.archive.value_or(""), sealed(change)});
  }
  return {};
}

}  // namespace vestige
