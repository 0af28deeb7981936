#include "server/connections.h"

namespace vestige::server {
namespace {

constexpr std::size_t kMostIdle = 8;
// A role that was taken away, and a file that another one stands in place of, are noticed soon.
constexpr auto kIdle = std::chrono::seconds(10);
constexpr auto kToWait = std::chrono::seconds(5);

}  // namespace

Result<std::unique_ptr<Connections::Lease>> Connections::take(const std::string& role,
                                                              std::chrono::milliseconds time) {
  {
    std::unique_lock lock(mutex_);
    if (!given_back_.wait_for(lock, kToWait, [this] { return out_ < most_; }))
      return hinted(fail(Fault::offline, "the console has {} questions under way", most_),
                    "ask again in a moment");
    ++out_;
  }
  auto lent = idle_or_new(role, time);
  if (lent.has_value()) return std::make_unique<Lease>(*this, role, *std::move(lent));
  const std::lock_guard lock(mutex_);
  --out_;
  given_back_.notify_one();
  return tl::unexpected<Error>(std::move(lent).error());
}

Result<Lent> Connections::idle_or_new(const std::string& role, std::chrono::milliseconds time) {
  // One that was cut off meanwhile says so when it is asked for anything.
  while (auto one = idle(role))
    if (one->at_most(time).has_value()) return *std::move(one);
  Lent lent = TRY(lend_database(url_, role, reads_only_));
  TRY(lent.at_most(time));
  return lent;
}

std::optional<Lent> Connections::idle(const std::string& role) {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  while (!idle_.empty() && now - idle_.front().since > kIdle) idle_.pop_front();
  for (auto one = idle_.rbegin(); one != idle_.rend(); ++one) {
    if (one->role != role) continue;
    Lent lent = std::move(one->lent);
    idle_.erase(std::next(one).base());
    return lent;
  }
  return std::nullopt;
}

void Connections::give_back(const std::string& role, Lent lent) {
  if (lent.db != nullptr) lent.db->rollback();
  Lent surplus;  // closed when nobody waits for it
  const std::lock_guard lock(mutex_);
  idle_.push_back({role, Clock::now(), std::move(lent)});
  if (idle_.size() > kMostIdle) {
    surplus = std::move(idle_.front().lent);
    idle_.pop_front();
  }
  --out_;
  given_back_.notify_one();
}

}  // namespace vestige::server
