#include "vestige/feed/follower.h"

namespace vestige {

namespace {

constexpr std::string_view kPatience = "2s";  // a stop waits no longer

}  // namespace

Result<std::unique_ptr<Follower>> Follower::open(Database& db, const Selection& selection,
                                                 std::optional<std::int64_t> after) {
  std::unique_ptr<Follower> follower(new Follower(db, selection));
  follower->sequencer_ = TRY(Sequencer::open(db, kPatience));
  follower->from_end_ = !after.has_value();
  follower->feed_ = TRY(Feed::open(db, selection, after.value_or(-1)));
  TRY(follower->more());
  return follower;
}

Result<bool> Follower::catch_up() {
  if (!from_end_) return false;
  TRY(sequence());
  if (at_work_ && sequencer_ != nullptr) return true;
  from_end_ = false;
  const auto end = static_cast<std::int64_t>(TRY(store_.size()));
  feed_ = TRY(Feed::open(store_.db(), selection_, end - 1));
  return false;
}

// A batch of what is due; false: there is nothing to be done, by this follower or now.
Result<bool> Follower::sequence() {
  if (sequencer_ == nullptr) return false;
  if (!at_work_ && !TRY(sequencer_->due())) return false;
  if (!at_work_) sequencer_->again();
  at_work_ = true;
  const auto done = sequencer_->batch();
  if (!done.has_value()) {
    const Fault fault = done.error().fault;
    if (fault != Fault::conflict && fault != Fault::denied)
      return tl::unexpected<Error>(done.error());
    hindered_ = done.error();
    if (fault == Fault::denied) sequencer_.reset();
    return false;
  }
  hindered_.reset();
  at_work_ = !sequencer_->done();
  return at_work_ || *done > 0;
}

Result<std::optional<Change>> Follower::next() {
  for (;;) {
    if (!rests_)
      if (auto change = TRY(feed_->next()); change.has_value()) return change;
    const bool goes_on = TRY(sequence()) || TRY(more());
    // The last bundle is not read again, ten times a second, while nothing comes.
    rests_ = !goes_on && !hindered_.has_value();
    if (!goes_on) return std::optional<Change>();
  }
}

// Whether the tree has what was not given yet.
Result<bool> Follower::more() {
  const auto size =
      static_cast<std::int64_t>(sequencer_ != nullptr ? sequencer_->size() : TRY(store_.size()));
  if (size < feed_->at() + 1)
    return hinted(fail(Fault::corrupt,
                       "follow: {} is the last index of the feed, and {} was known: the trail was"
                       " set back to an older state",
                       size - 1, feed_->at()),
                  "vestige verify says what was signed; --after -1 begins anew");
  return size > feed_->at() + 1;
}

}  // namespace vestige
