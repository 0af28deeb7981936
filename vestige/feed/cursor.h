// Cursor: how far somebody who follows the feed is, kept in the trail (docs/decisions/0018-feed.md). Test: test/feed_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vestige/trail/evidence_store.h"

namespace vestige {

/// A consumer's place in the feed: the index of the last change that it is done with.
///
///   auto cursor = TRY(Cursor::open(db, "search-index"));
///   auto follower = TRY(Follower::open(db, selection, cursor->upto().value_or(-1)));
///   … take changes, be done with them …
///   TRY(cursor->move(follower->at()));
///
/// Who is killed between the two takes those changes again: their index says which were seen.
class Cursor {
 public:
  /// faults   missing (no trail; one that is older and keeps no cursors), invalid (a name that is empty, or longer than 200 bytes)
  static Result<std::unique_ptr<Cursor>> open(Database& db, std::string consumer);

  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor() = default;

  /// Nothing: the consumer is not known yet.
  std::optional<std::int64_t> upto() const { return upto_; }

  /// Of two that go by one name the second to move fails, and nothing of what the first did is undone.
  ///
  /// faults   invalid (another has moved it since), conflict (the database is locked: it can be asked again), denied (this role
  ///          may not)
  Result<void> move(std::int64_t upto);

 private:
  Cursor(Database& db, std::string consumer) : store_(db), consumer_(std::move(consumer)) {}

  EvidenceStore store_;
  std::string consumer_;
  std::optional<std::int64_t> upto_;
};

struct CursorStanding {
  std::string consumer;
  std::int64_t upto = -1;
  std::int64_t behind = 0;  // changes that have their place and are not done
};

/// Every consumer, by name; none on a trail that keeps no cursors.
Result<std::vector<CursorStanding>> cursors(Database& db);

}  // namespace vestige
