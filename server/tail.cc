#include "server/tail.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "server/api.h"
#include "vestige/audit/log.h"
#include "vestige/base/json.h"
#include "vestige/feed/feed.h"
#include "vestige/feed/sequencer.h"
#include "vestige/privacy/signature_judge.h"
#include "vestige/trail/evidence_store.h"

namespace vestige::server {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMostTails = 32;
constexpr int kOfOneUser = 8;                            // where users are told apart
constexpr auto kPause = std::chrono::milliseconds(150);  // between two looks
constexpr auto kRetry = std::chrono::seconds(10);        // after one that failed
constexpr auto kHeartbeat = std::chrono::seconds(15);
// Then it ends, and whoever follows comes again with the rights that they have by then.
constexpr auto kLife = std::chrono::minutes(10);

std::string event_of(std::int64_t index, std::string_view name, std::string_view data) {
  return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", index, name, data);
}

std::string here(std::int64_t index) {
  return event_of(index, "at", fmt::format(R"({{"index":{}}})", index));
}

// A tail: what it reads goes before the connection that it reads by.
struct Tail {
  std::shared_ptr<void> place;
  std::shared_ptr<Call> call;
  std::unique_ptr<Connections::Lease> lease;
  Selection selection;
  std::int64_t after = -1;

  Result<void> send(Writer& writer) {
    EvidenceStore store(lease->db());
    const auto feed = TRY(Feed::open(lease->db(), selection, after));
    const auto end = Clock::now() + kLife;
    auto beat = Clock::now() + kHeartbeat;
    auto renew = Clock::now() + std::chrono::seconds(1);
    std::int64_t told = after;
    // Who comes again before anything happened knows from where.
    writer.write("retry: 1000\n" + here(after));
    while (writer.wanted() && Clock::now() < end) {
      if (Clock::now() >= renew) {
        TRY(lease->give_time(std::chrono::seconds(5)));
        renew = Clock::now() + std::chrono::seconds(1);
      }
      const bool more = static_cast<std::int64_t>(TRY(store.size())) > feed->at() + 1;
      const auto change = more ? TRY(feed->next()) : std::optional<Change>();
      if (change.has_value()) {
        told = static_cast<std::int64_t>(change->index.value_or(0));
        if (!writer.write(event_of(told, "change", to_json(*change)))) break;
      } else {
        std::this_thread::sleep_for(kPause);
      }
      if (Clock::now() < beat) continue;
      beat = Clock::now() + kHeartbeat;
      // What was passed over need not be looked through again.
      if (!writer.write(feed->at() > told ? here(feed->at()) : ": \n\n")) break;
      told = std::max(told, feed->at());
    }
    return {};
  }
};

Result<std::optional<std::int64_t>> known_index(const Call& call) {
  auto text = call.request().header("last-event-id");
  if (!text.has_value() || text->empty()) text = call.asked("after");
  if (!text.has_value()) return std::optional<std::int64_t>();
  std::int64_t index = 0;
  const char* last = text->data() + text->size();
  const auto [end, error] = std::from_chars(text->data(), last, index);
  if (error != std::errc() || end != last || index < -1)
    return hinted(fail(Fault::invalid, "events: no index of the feed"),
                  "a whole number, or -1: from its beginning");
  return std::optional(index);
}

}  // namespace

// What the thread has at hand: made again after it failed.
class SequencingWork {
 public:
  Result<void> step(const std::string& url) {
    if (lent_.db == nullptr) lent_ = TRY(lend_database(url, "", false));
    TRY(lent_.at_most(std::chrono::seconds(30)));
    if (sequencer_ == nullptr) sequencer_ = TRY(Sequencer::open(*lent_.db, "2s"));
    if (sequencer_->done()) {
      if (!TRY(sequencer_->due())) return {};
      sequencer_->again();
    }
    TRY(sequencer_->batch());
    return {};
  }

 private:
  Lent lent_;
  std::unique_ptr<Sequencer> sequencer_;
};

std::shared_ptr<void> Sequencing::follow(const std::string& user) {
  const std::lock_guard lock(mutex_);
  const auto found = of_user_.find(user);
  const bool has_all = !user.empty() && found != of_user_.end() && found->second == kOfOneUser;
  if (tails_ == kMostTails || has_all) return nullptr;
  ++of_user_[user];
  ++tails_;
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  changed_.notify_all();
  return {this, [user](Sequencing* self) {
            const std::lock_guard again(self->mutex_);
            --self->tails_;
            if (--self->of_user_[user] == 0) self->of_user_.erase(user);
          }};
}

void Sequencing::work() {
  std::unique_ptr<SequencingWork> work;
  std::unique_lock lock(mutex_);
  while (!over_) {
    if (tails_ == 0) {
      work.reset();  // no connection stays open for nobody
      changed_.wait(lock, [this] { return over_ || tails_ > 0; });
      continue;
    }
    lock.unlock();
    if (work == nullptr) work = std::make_unique<SequencingWork>();
    const bool good = work->step(url_).has_value();
    if (!good) work.reset();
    lock.lock();
    changed_.wait_for(lock, good ? Clock::duration(kPause) : Clock::duration(kRetry),
                      [this] { return over_; });
  }
}

Sequencing::~Sequencing() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<Answer> get_events(Asked call) {
  auto tail = std::make_shared<Tail>();
  tail->place = call->shared().sequencing.follow(call->user());
  if (tail->place == nullptr)
    return problem(
        503, "offline",
        fmt::format("{} tails are followed already, or {} by one user", kMostTails, kOfOneUser),
        "close a page that you do not look at");
  tail->call = call;
  call->give_back();
  tail->lease = TRY(call->shared().tails.take(call->role(), std::chrono::seconds(5)));
  Database& db = tail->lease->db();
  LogRequest request;
  request.filter.filter = TRY(call->filter());
  tail->selection = TRY(select(db, request));
  if (call->settings().signers.has_value())
    tail->selection.judge = signature_judge(db, *call->settings().signers);
  const auto size = static_cast<std::int64_t>(TRY(EvidenceStore(db).size()));
  tail->after = TRY(known_index(*call)).value_or(size - 1);
  if (tail->after >= size)
    return hinted(fail(Fault::conflict,
                       "events: {} is the last index of the feed, and {} was known: the trail was "
                       "set back to an older state",
                       size - 1, tail->after),
                  "after=-1 begins anew");
  Answer answer{.type = "text/event-stream"};
  answer.headers.emplace_back("X-Accel-Buffering", "no");
  answer.stream = [tail](Writer& writer) { return tail->send(writer); };
  return answer;
}

}  // namespace vestige::server
