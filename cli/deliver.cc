#include "cli/deliver.h"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "cli/tell.h"
#include "vestige/base/time.h"

namespace vestige::cli {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

void say(Session& session, const Delivery& delivery, const Attempt& attempt,
         const std::optional<std::int64_t>& again) {
  if (attempt.delivered) return;
  session.say(fmt::format("alert {} is not told to {}: {}{}", delivery.notice.id, delivery.target,
                          attempt.error,
                          again.has_value() ? ", again at " + said_time(*again)
                                            : "; it is told nothing more at this address"));
}

}  // namespace

Result<Deliverer> Deliverer::from(const std::string& plan) {
  return Deliverer(TRY(read_notify(TRY(read_toml(plan)))),
                   std::filesystem::path(plan).parent_path().string());
}

const NotifyTarget& Deliverer::target_of(const Delivery& delivery) const {
  return *std::find_if(targets_.begin(), targets_.end(),
                       [&](const NotifyTarget& target) { return target.name == delivery.target; });
}

// A secret that is not there is a reason like others: somebody puts it there.
Attempt Deliverer::attempt(const NotifyTarget& target, const Delivery& delivery,
                           Database& db) const {
  const auto secrets = secrets_of(target, folder_);
  if (!secrets.has_value()) return {.error = secrets.error().message};
  return tell(target, *secrets, delivery.notice, db, clock_now());
}

Result<Deliverer::Round> Deliverer::round(Session& session, Database& db) {
  Round done;
  const std::int64_t now = clock_now();
  const Due found = TRY(due(db, targets_, now));
  next_ = found.next.value_or(kNever);
  for (const Delivery& delivery : found.now) {
    const NotifyTarget& target = target_of(delivery);
    if (const auto rests = resting_.find(target.name);
        rests != resting_.end() && rests->second > now) {
      next_ = std::min(next_, rests->second);
      continue;
    }
    const Attempt made = attempt(target, delivery, db);
    const auto again = TRY(settle(db, target, delivery, made, clock_now()));
    say(session, delivery, made, again);
    if (made.delivered) ++done.told;
    else ++done.untold;
    if (!made.delivered) resting_[target.name] = again.value_or(kNever);
    if (again.has_value()) next_ = std::min(next_, *again);
  }
  return done;
}

}  // namespace vestige::cli
