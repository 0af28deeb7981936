#include "vestige/rules/health.h"

#include <algorithm>

#include "vestige/feed/feed.h"
#include "vestige/rules/rule_file.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/upkeep.h"

namespace vestige {
namespace {

constexpr std::string_view kLag = "sealer-lag:";

Result<void> look_at_capture(Database& db, std::vector<Trouble>& out) {
  const auto captures = TRY(upkeep_of(db)->captures());
  for (const Tracked& table : TRY(tracked_tables(db))) {
    const auto found = captures.find(table.id);
    if (found != captures.end() && !found->second.trouble.empty())
      out.push_back({"capture-disabled", table.name,
                     fmt::format("what is written to {} may not be recorded: {}", table.name,
                                 found->second.trouble)});
  }
  return {};
}

// How long the first change that no checkpoint covers has waited.
Result<void> look_at_sealer(Database& db, std::int64_t patience, std::int64_t now,
                            std::vector<Trouble>& out) {
  const auto last = TRY(EvidenceStore(db).last_checkpoint());
  const std::int64_t sealed = last.has_value() ? static_cast<std::int64_t>(last->size) : 0;
  const auto waits = TRY(TRY(Feed::open(db, Selection(), sealed - 1))->next());
  if (!waits.has_value() || now - waits->at <= patience) return {};
  out.push_back({"sealer-lag", "",
                 fmt::format("change {} waits to be sealed for more than {} s", waits->id,
                             patience / 1'000'000)});
  return {};
}

}  // namespace

Result<std::vector<Trouble>> troubles(Database& db, const Rule& rule, std::int64_t now) {
  std::vector<Trouble> out;
  for (const std::string& what : rule.what) {
    if (what == "capture-disabled") TRY(look_at_capture(db, out));
    if (what.starts_with(kLag))
      TRY(look_at_sealer(db, TRY(parse_period(what.substr(kLag.size()))), now, out));
  }
  return out;
}

}  // namespace vestige
