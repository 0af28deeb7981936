#include "cli/follow.h"

#include <charconv>

#include "cli/session.h"
#include "cli/stop.h"
#include "vestige/feed/cursor.h"
#include "vestige/feed/follower.h"

namespace vestige::cli {
namespace {

constexpr double kPause = 0.1;         // seconds between two looks
constexpr std::int64_t kAtOnce = 250;  // changes, and then the cursor moves

Result<std::optional<std::int64_t>> after(const Arguments& arguments) {
  const auto text = arguments.value("--after");
  if (!text.has_value()) return std::optional<std::int64_t>();
  std::int64_t index = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), index);
  if (error != std::errc() || end != text->data() + text->size() || index < -1)
    return fail(Fault::invalid, "--after: {} is no index: a whole number, or -1", *text);
  return std::optional<std::int64_t>(index);
}

// What the follower has to say besides, each thing once.
class Notes {
 public:
  explicit Notes(Session& session) : session_(session) {}

  void say(Follower& follower) {
    for (const Feed::Unreadable& one : follower.unreadable())
      session_.say(fmt::format("change {} cannot be read, and is shown as its entry says: {}",
                               one.change, one.why));
    const auto& why = follower.hindered();
    std::string text;
    if (why.has_value())
      text = why->fault == Fault::denied
                 ? fmt::format("what others put in order is shown; this follower may not do so: {}",
                               session_.explained(*why).message)
                 : why->message + "; it is waited for";
    if (text != said_ && !text.empty()) session_.say(text);
    said_ = std::move(text);
  }

 private:
  Session& session_;
  std::string said_;
};

// Whether changes wait for their places because of others who are at it.
bool is_waited_for(const Follower& follower) {
  return follower.hindered().has_value() && follower.hindered()->fault == Fault::conflict;
}

bool goes_on(Session& session) { return !stop_requested() && session.output().wanted(); }

// Prints what there is, or some of it; how many there may be yet (0: any number). False: there is no more now.
Result<bool> print_some(Session& session, Follower& follower, const FeedPrinter& printer,
                        std::int64_t& left) {
  for (std::int64_t n = 0; n < kAtOnce && goes_on(session); ++n) {
    const std::optional<Change> change = TRY(follower.next());
    if (!change.has_value()) return false;
    printer.print(*change);
    if (left > 0 && --left == 0) break;
  }
  return true;
}

// What the consumer had is printed by then, and taken by whoever reads. False: the database is locked, and it is tried again.
Result<bool> move(const std::unique_ptr<Cursor>& cursor, std::int64_t at) {
  if (cursor == nullptr) return true;
  const auto moved = cursor->move(at);
  if (!moved.has_value() && moved.error().fault != Fault::conflict)
    return tl::unexpected<Error>(moved.error());
  return moved.has_value();
}

}  // namespace

Result<void> check_follow(const Arguments& arguments) {
  if (!follows(arguments)) {
    if (arguments.has("--after"))
      return hinted(fail(Fault::invalid, "log: --after is a place of the feed"),
                    "it goes with --follow, or --consumer");
    return {};
  }
  const std::string_view which = arguments.has("--follow") ? "--follow" : "--consumer";
  for (const std::string_view other : {"--stat", "--reverse"})
    if (arguments.has(other))
      return hinted(fail(Fault::invalid, "log: {} and {} do not go together", which, other),
                    "it prints changes in the order of the feed, oldest first");
  TRY(after(arguments));
  return {};
}

bool follows(const Arguments& arguments) {
  return arguments.has("--follow") || arguments.has("--consumer");
}

Result<int> follow(Session& session, Database& db, LogRequest asked, const FeedPrinter& printer) {
  const Arguments& arguments = session.arguments();
  std::int64_t left = std::exchange(asked.filter.limit, 0);
  const bool limited = left > 0;
  const bool stays = arguments.has("--follow");
  std::unique_ptr<Cursor> cursor;
  std::optional<std::int64_t> from = TRY(after(arguments));
  if (const auto consumer = arguments.value("--consumer"); consumer.has_value()) {
    cursor = TRY(Cursor::open(db, *consumer));
    if (!from.has_value()) from = cursor->upto().value_or(-1);
  }
  if (!from.has_value() && !stays) from = -1;
  const Selection selection = TRY(select(db, asked));
  const auto follower = TRY(Follower::open(db, selection, from));
  // Who may not keep a place is told so before anything is printed.
  TRY(move(cursor, follower->at()));
  catch_stop_signals();
  Notes notes(session);
  while (!stop_requested() && TRY(follower->catch_up())) {
    notes.say(*follower);
    if (follower->hindered().has_value()) sleep_while_read(kPause);
  }
  if (stays) session.say(fmt::format("following from index {}", follower->at() + 1));
  while (goes_on(session)) {
    const bool more = !(limited && left == 0) && TRY(print_some(session, *follower, printer, left));
    printer.settle();
    TRY(session.output().written());
    // Who reads no more may not have had all of it.
    const bool due = cursor != nullptr && cursor->upto() != follower->at() && !nobody_reads() &&
                     session.output().wanted();
    const bool moved = !due || TRY(move(cursor, follower->at()));
    notes.say(*follower);
    if (nobody_reads() || (moved && limited && left == 0)) break;
    if (moved && !more && !stays && !is_waited_for(*follower)) break;
    if ((!more || !moved) && goes_on(session)) sleep_while_read(kPause);
  }
  return kDone;
}

}  // namespace vestige::cli
