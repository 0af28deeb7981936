// The feed: the changes that have a place in the tree, in that order (docs/decisions/0018-feed.md). Nothing stops it: what
// cannot be read any more is given as its entry says. Test: test/feed_test.cc.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vestige/trail/changes.h"
#include "vestige/trail/evidence_store.h"

namespace vestige {

/// Changes by their index; pulled one at a time, memory for some thousand of them or some megabytes.
class Feed {
 public:
  /// selection  without an order and a limit
  /// after      the index of the last change that is known already; -1: none is
  /// faults     missing (no trail, no place for the evidence), offline, corrupt
  static Result<std::unique_ptr<Feed>> open(Database& db, const Selection& selection,
                                            std::int64_t after);
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;
  ~Feed() = default;

  /// The next change that meets the selection, with its index; nothing when the tree has no more now. It can be asked again.
  ///
  /// A change that is gone, or cannot be read, is given without its key, its values and its context; one that is gone only
  /// where everything is selected.
  /// faults   offline, corrupt (the entries themselves are not as they were written)
  Result<std::optional<Change>> next();
  /// The index of the last change that was given or passed over; -1: of none.
  std::int64_t at() const { return at_; }

  /// Changes that could not be read, since this was asked last.
  struct Unreadable {
    std::int64_t change = 0;
    std::string why;
  };
  std::vector<Unreadable> unreadable() { return std::exchange(said_, {}); }

 private:
  // A place of the tree.
  struct Place {
    std::int64_t id = 0;
    std::string_view entry;
  };

  Feed(Database& db, const Selection& selection, std::int64_t after)
      : store_(db), selection_(selection), at_(after), upto_(after) {}
  Result<bool> look_on();
  Result<bool> fill();
  Result<void> read_some();
  Result<void> read_one();
  std::size_t some_end(bool& dense) const;
  Result<void> may_go_on(const Error& error);
  void pass() { upto_ = static_cast<std::int64_t>(first_ + place_++); }
  void take(Change change);
  Result<void> take_entry();

  EvidenceStore store_;
  Selection selection_;
  std::unique_ptr<ChangeReader> reader_;
  bool whole_ = false;  // everything is selected
  std::int64_t at_;
  std::int64_t upto_;            // up to here everything is ready, or was passed over
  std::deque<Change> ready_;     // no query is open while they are given
  std::vector<Bundle> bundles_;  // of the places
  std::vector<Place> places_;
  std::uint64_t first_ = 0;  // the index of the first of them
  std::size_t place_ = 0;    // the next one
  std::size_t alone_ = 0;    // up to here one by one, since a query failed
  std::vector<Unreadable> said_;
};

}  // namespace vestige
