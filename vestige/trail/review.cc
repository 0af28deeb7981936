#include "vestige/trail/review.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "vestige/base/time.h"
#include "vestige/trail/context.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/install.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

// The changes of a table of the trail's own, oldest first; nothing where it was never made.
Result<std::unique_ptr<Changes>> own_changes(Database& db, std::string_view name,
                                             std::vector<Op> ops) {
  TRY(require_trail(db));
  const auto known = TRY(known_own_table(db, name));
  if (!known.has_value()) return std::unique_ptr<Changes>();
  Selection selection;
  selection.table = known->id;
  selection.ops = std::move(ops);
  selection.oldest_first = true;
  selection.forgiving = true;
  return read_changes(db, selection);
}

sys_days began(Every every, sys_days day) {
  const year_month_day date(day);
  switch (every) {
    case Every::day: return day;
    case Every::week: return day - (std::chrono::weekday(day) - std::chrono::Monday);
    case Every::month: return date.year() / date.month() / 1;
    case Every::quarter: {
      const unsigned month = (static_cast<unsigned>(date.month()) - 1) / 3 * 3 + 1;
      return date.year() / std::chrono::month(month) / 1;
    }
    case Every::year: return date.year() / 1 / 1;
  }
  return day;
}

// No period is longer than this, and no two are as long.
sys_days next(Every every, sys_days begin) {
  constexpr int kLongest[] = {1, 7, 31, 92, 366};
  return began(every, begin + std::chrono::days(kLongest[static_cast<int>(every)]));
}

}  // namespace

Review review_of(const Change& change) {
  const auto& row = change.new_values;
  const auto time = [&](std::string_view column) -> std::optional<std::int64_t> {
    const auto read = parse_time(text_in(row, column), Now(0));
    return read.has_value() ? std::optional(*read) : std::nullopt;
  };
  Review out{.change = change.id, .at = change.at};
  if (const std::string* who = change.who(); who != nullptr) out.who = *who;
  out.report = text_in(row, "report");
  out.filter = text_in(row, "filter");
  out.from = time("period_from");
  out.upto = time("period_to");
  out.report_hash = text_in(row, "report_hash");
  out.checkpoint = text_in(row, "checkpoint");
  out.reviewer = text_in(row, "reviewer");
  out.verdict = text_in(row, "verdict");
  out.comment = text_in(row, "comment");
  return out;
}

Result<std::int64_t> sign_review(Database& db, Review review, const Context& context) {
  if (review.report.empty() || review.reviewer.empty() || review.verdict.empty())
    return fail(Fault::invalid,
                "review: a sign-off names the report, the reviewer and the verdict");
  if (review.verdict != "in-order" && review.verdict != "exceptions")
    return hinted(fail(Fault::invalid, "review: '{}' is no verdict", review.verdict),
                  "in-order or exceptions");
  if (review.verdict == "exceptions" && review.comment.empty())
    return hinted(fail(Fault::invalid, "review: nobody says what the exceptions are"),
                  "--comment 'what was found, and what became of it'");
  if (!review.from.has_value() || !review.upto.has_value() || *review.from >= *review.upto)
    return fail(Fault::invalid, "review: the period ends before it begins");
  TRY(require_trail(db));
  if (TRY(has_evidence(db)))
    if (const auto last = TRY(EvidenceStore(db).last_checkpoint()); last.has_value())
      review.checkpoint = last->note;
  auto scope = TRY(ContextScope::begin(db, context));
  TRY(own_table(db, "review"));
  TRY(db.run(fmt::format("insert into {} (report, filter, period_from, period_to, report_hash, "
                         "checkpoint, reviewer, verdict, comment) values (?1, ?2, ?3, ?4, ?5, ?6, "
                         "?7, ?8, ?9)",
                         spelling_of(db).table("review")),
             {Text{review.report}, text_or_null(review.filter), Text{format_time(*review.from)},
              Text{format_time(*review.upto)}, text_or_null(review.report_hash),
              text_or_null(review.checkpoint), Text{review.reviewer}, Text{review.verdict},
              text_or_null(review.comment)}));
  TRY(scope.commit());
  const auto all = TRY(reviews(db));
  return all.empty() ? 0 : all.back().change;
}

Result<std::vector<Review>> reviews(Database& db) {
  std::vector<Review> out;
  const auto changes = TRY(own_changes(db, "review", {Op::insert}));
  while (changes != nullptr) {
    const auto change = TRY(changes->next());
    if (!change.has_value()) break;
    out.push_back(review_of(*change));
  }
  return out;
}

Result<Every> every_from_name(const std::string& name) {
  constexpr std::pair<std::string_view, Every> kNames[] = {{"day", Every::day},
                                                           {"week", Every::week},
                                                           {"month", Every::month},
                                                           {"quarter", Every::quarter},
                                                           {"year", Every::year}};
  for (const auto& [known, every] : kNames)
    if (known == name) return every;
  return hinted(fail(Fault::invalid, "review: every '{}' is no period", name),
                "day, week, month, quarter or year");
}

std::vector<Period> ended_periods(Every every, std::int64_t since, std::int64_t now,
                                  const TimeZone& zone) {
  std::vector<Period> out;
  sys_days begin = began(every, sys_days(local_time(since, zone).date));
  while (true) {
    const sys_days end = next(every, begin);
    const Period period(zone.moment(begin), zone.moment(end));
    if (period.second > now) return out;
    out.push_back(period);
    begin = end;
  }
}

std::vector<Period> unsigned_periods(const std::vector<Review>& reviews, const std::string& report,
                                     const std::string& filter,
                                     const std::vector<Period>& periods) {
  std::vector<Period> out;
  for (const Period& period : periods) {
    const bool covered = std::any_of(reviews.begin(), reviews.end(), [&](const Review& one) {
      return one.report == report && one.filter == filter && one.from.has_value() &&
             one.upto.has_value() && *one.from <= period.first && period.second <= *one.upto;
    });
    if (!covered) out.push_back(period);
  }
  return out;
}

Result<std::vector<OpenAlert>> open_alerts(Database& db, std::int64_t before) {
  std::map<std::string, std::pair<OpenAlert, std::string>> known;  // with their states
  const auto changes = TRY(own_changes(db, "alert", {Op::insert, Op::update, Op::remove}));
  while (changes != nullptr) {
    const auto change = TRY(changes->next());
    if (!change.has_value()) break;
    if (change->key.empty()) continue;
    const std::string id = to_display(change->key.front().value);
    const std::string state = text_in(change->new_values, "state");
    auto& [alert, stands] = known[id];
    if (change->op == Op::insert)
      alert = {id, text_in(change->new_values, "severity"), text_in(change->new_values, "title"),
               change->at};
    if (change->op == Op::remove) stands = "gone";
    else if (!state.empty()) stands = state;
  }
  std::vector<OpenAlert> out;
  for (const auto& [id, one] : known)
    if (one.second == "open" && one.first.since < before) out.push_back(one.first);
  std::sort(out.begin(), out.end(),
            [](const OpenAlert& left, const OpenAlert& right) { return left.since < right.since; });
  return out;
}

std::string to_json(const Review& review) {
  const auto optional = [](const std::string& text) { return to_json(text_or_null(text)); };
  const auto time = [](const std::optional<std::int64_t>& at) {
    return at.has_value() ? text_json(format_time(*at)) : std::string("null");
  };
  return fmt::format(
      R"({{"change":{},"at":"{}","who":{},"report":{},"filter":{},"from":{},"to":{},)"
      R"("report_hash":{},"checkpoint":{},"reviewer":{},"verdict":{},"comment":{}}})",
      review.change, format_time(review.at),
      review.who.has_value() ? text_json(*review.who) : "null", text_json(review.report),
      optional(review.filter), time(review.from), time(review.upto), optional(review.report_hash),
      optional(review.checkpoint), text_json(review.reviewer), text_json(review.verdict),
      optional(review.comment));
}

}  // namespace vestige
