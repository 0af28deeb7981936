#include "vestige/audit/verify_time.h"

#include "vestige/base/time.h"

namespace vestige {
namespace {

constexpr std::size_t kEarlyNamed = 10;

}  // namespace

TimeCheck::TimeCheck(Verdict& verdict) : verdict_(verdict), times_(clock_now()) {}

void TimeCheck::look(StoredEntry& entry) {
  const auto at = entry_time(entry.line);
  if (!at.has_value()) return;
  const auto before = times_.look(entry.id, *at);
  entry.counts_from = before.has_value() ? before->at : *at;
  if (before.has_value() && ++verdict_.early <= kEarlyNamed)
    verdict_.early_changes.push_back({entry.id, *at, before->id, before->at});
}

}  // namespace vestige
