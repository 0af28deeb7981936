// Follower: who follows a trail. It reads the feed, and gives what was recorded its place in it where nobody else does
// (docs/decisions/0018-feed.md). Test: test/feed_test.cc, test/real/feed_kills.py.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/feed/feed.h"
#include "vestige/feed/sequencer.h"

namespace vestige {

/// Changes as they are committed, in the order of the feed.
///
///   auto follower = TRY(Follower::open(db, selection, std::nullopt));
///   while (TRY(follower->catch_up())) {}  // what was recorded before it came
///   for (;;) {
///     while (auto change = TRY(follower->next())) …
///     … wait a little …
///   }
class Follower {
 public:
  /// after    the index of the last change that is known already (-1: none is); nothing: what stands in the feed when
  ///          catch_up() is done
  /// faults   as Feed::open and Sequencer::open; corrupt: the feed does not reach `after`
  static Result<std::unique_ptr<Follower>> open(Database& db, const Selection& selection,
                                                std::optional<std::int64_t> after);
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  ~Follower() = default;

  /// Gives places to what was recorded before it came, a batch at a time; false: that is done. Where `after` is nothing
  /// it comes before next().
  Result<bool> catch_up();

  /// The next change; nothing: there is none now, ask again. An idle trail is asked one small question.
  ///
  /// faults   offline, corrupt (the feed is shorter than it was)
  Result<std::optional<Change>> next();
  /// The index of the last change that was given or passed over; -1: of none.
  std::int64_t at() const { return feed_->at(); }

  /// Why changes do not get their places by this follower: it may not (denied: it goes on with what others do), or an erasure
  /// or another sequencer is under way (conflict: it asks again).
  const std::optional<Error>& hindered() const { return hindered_; }
  std::vector<Feed::Unreadable> unreadable() { return feed_->unreadable(); }

 private:
  Follower(Database& db, const Selection& selection) : store_(db), selection_(selection) {}
  Result<bool> sequence();
  Result<bool> more();

  EvidenceStore store_;
  Selection selection_;
  std::unique_ptr<Sequencer> sequencer_;  // none: it may not
  std::unique_ptr<Feed> feed_;
  bool from_end_ = false;
  bool at_work_ = true;  // what was due when it looked last is not all done
  bool rests_ = false;   // the feed was read to its end, and nothing was due since
  std::optional<Error> hindered_;
};

}  // namespace vestige
