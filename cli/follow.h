// log --follow, log --consumer: what is committed, as it comes, in the order of the feed.
#pragma once

#include <functional>

#include "cli/arguments.h"
#include "vestige/audit/log.h"

namespace vestige::cli {

class Session;

/// Refuses options that have no meaning together.
///
/// faults   invalid
Result<void> check_follow(const Arguments& arguments);

/// Whether what is asked is the feed, by --follow or --consumer.
bool follows(const Arguments& arguments);

/// What becomes of each change.
struct FeedPrinter {
  std::function<void(const Change&)> print;
  std::function<void()> settle = [] {};  // prints what is held back; more may come
};

/// Prints until it is stopped by a signal, nobody reads any more, or as many as --limit says were printed; without --follow, until
/// there is no more: from the beginning where neither --after nor --consumer says from where. The consumer's cursor moves behind what
/// was printed.
Result<int> follow(Session& session, Database& db, LogRequest asked, const FeedPrinter& printer);

}  // namespace vestige::cli
