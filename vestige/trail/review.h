// review: somebody signed that he looked at what happened in a period, and at which report of it; and which periods nobody has
// signed. A sign-off stands in a table of the trail's own (docs/compliance.md). Test: test/review_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vestige/base/zone.h"
#include "vestige/trail/changes.h"

namespace vestige {

/// A sign-off.
struct Review {
  std::int64_t change = 0;  // that it was recorded by
  std::int64_t at = 0;      // microseconds, by the trail's clock
  std::optional<std::string> who;
  // Empty where nothing was said.
  std::string report;
  std::string filter;
  // The period, microseconds: from <= at < upto. Nothing where what was recorded is no time.
  std::optional<std::int64_t> from;
  std::optional<std::int64_t> upto;
  std::string report_hash;  // SHA-256 of the report's file, lower-case hex
  std::string checkpoint;   // the note of the trail's last checkpoint
  std::string reviewer;
  std::string verdict;
  std::string comment;
};

/// A sign-off as a change recorded it: an INSERT into the table of them.
Review review_of(const Change& change);

/// Signs off; the change that it was recorded by. The checkpoint is the trail's last one.
///
/// faults   invalid: no report, reviewer or verdict is named, the verdict or the period is none, or nobody says what the
///          exceptions are; denied
Result<std::int64_t> sign_review(Database& db, Review review, const Context& context);

/// All of them, oldest first. Those of a table where none was signed are none.
Result<std::vector<Review>> reviews(Database& db);

/// How often a report is looked at.
enum class Every { day, week, month, quarter, year };

/// "day", "week", …
///
/// faults   invalid
Result<Every> every_from_name(const std::string& name);

using Period = std::pair<std::int64_t, std::int64_t>;

/// The periods of a calendar that have ended: the one in which `since` is, and those after it, up to the last that ended by `now`.
/// Weeks begin on Mondays.
std::vector<Period> ended_periods(Every every, std::int64_t since, std::int64_t now,
                                  const TimeZone& zone);

/// Those that no sign-off of the report under the filter covers.
std::vector<Period> unsigned_periods(const std::vector<Review>& reviews, const std::string& report,
                                     const std::string& filter, const std::vector<Period>& periods);

/// An alert that nobody has dealt with.
struct OpenAlert {
  std::string id;
  std::string severity;
  std::string title;
  std::int64_t since = 0;  // microseconds, by the trail's clock
};

/// Those that are open, and were opened before a moment, oldest first.
Result<std::vector<OpenAlert>> open_alerts(Database& db, std::int64_t before);

/// One object, without newline (docs/json.md).
std::string to_json(const Review& review);

}  // namespace vestige
