// review: that somebody looked, and what nobody has looked at.
#include <algorithm>
#include <filesystem>

#include "cli/plan_file.h"
#include "cli/report_names.h"
#include "cli/session.h"
#include "cli/table.h"
#include "vestige/audit/check_report.h"
#include "vestige/audit/plan.h"
#include "vestige/base/crypto.h"
#include "vestige/base/file.h"
#include "vestige/base/json.h"
#include "vestige/base/period.h"
#include "vestige/base/time.h"
#include "vestige/record/filter.h"
#include "vestige/trail/review.h"

namespace vestige::cli {
namespace {

Result<TimeZone> clock_of(const Arguments& arguments) {
  return TimeZone::named(arguments.value("--tz").value_or("UTC"));
}

// By the same clock.
Result<std::int64_t> moment_of(const std::string& text, const Arguments& arguments) {
  return parse_time(text, Now(clock_now(), arguments.has("--tz") ? Zone::local : Zone::utc));
}

Result<std::optional<std::int64_t>> moment_of(const Arguments& arguments, std::string_view option) {
  const auto text = arguments.value(option);
  if (!text.has_value()) return std::optional<std::int64_t>();
  return std::optional(TRY(moment_of(*text, arguments)));
}

// "2026-11-01 to 2026-12-01", on the clock of the review.
std::string period_text(std::optional<std::int64_t> from, std::optional<std::int64_t> upto,
                        const TimeZone& zone) {
  const auto day = [&](std::optional<std::int64_t> at) {
    if (!at.has_value()) return std::string("no time");
    const LocalTime local = local_time(*at, zone);
    std::string text = date_text(local.date);
    if (local.clock != 0) text += fmt::format(" {:02}:{:02}", local.hour(), local.minute());
    return text;
  };
  return day(from) + " to " + day(upto);
}

Result<Period> period_of(const Arguments& arguments, const TimeZone& zone) {
  if (const auto named = arguments.value("--period"); named.has_value())
    return read_period(*named, zone);
  const auto since = TRY(moment_of(arguments, "--since"));
  const auto until = TRY(moment_of(arguments, "--until"));
  if (!since.has_value() || !until.has_value())
    return hinted(fail(Fault::invalid, "review sign: the period is missing"),
                  "--period 2026-11, or --since and --until");
  return Period(*since, *until);
}

// Empty where none is named.
Result<std::string> named_report(const Arguments& arguments) {
  if (arguments.words().size() < 2) return std::string();
  TRY(report_called(arguments.words()[1], TRY(planned_reports())));
  return arguments.words()[1];
}

// What a report is of, as the head of one says it, or a sign-off.
std::string described(const std::string& name, const std::string& filter,
                      const std::string& period) {
  return name + (filter.empty() ? "" : " -q '" + filter + "'") + ", " + period;
}

// A report without a beginning or an end is of all that there was when it was made.
Result<void> check_file(const std::string& path, const std::string& bytes, const Review& review,
                        const TimeZone& zone) {
  const auto claimed = claimed_report(bytes);
  if (!claimed.has_value()) return {};
  const auto since = read_time(claimed->since);
  const auto made = read_time(claimed->made_at);
  const auto until = read_time(claimed->until.empty() ? claimed->made_at : claimed->until);
  // A report of vestige.toml has a filter of its own.
  const bool filtered = find_report(review.report) != nullptr;
  const std::string filter =
      review.filter.empty()
          ? ""
          : to_text(TRY(parse_filter(review.filter, Now(clock_now(), Zone::local))));
  const bool covers = (claimed->since.empty() || (since.has_value() && *since <= *review.from)) &&
                      until.has_value() && made.has_value() && *until >= *review.upto &&
                      *made >= *review.upto;
  if (claimed->name == review.report && covers && (!filtered || claimed->filter == filter))
    return {};
  const std::string period =
      claimed->since.empty() && claimed->until.empty()
          ? "made at " + claimed->made_at
          : fmt::format("{} to {}, made at {}",
                        claimed->since.empty() ? "the beginning" : claimed->since,
                        claimed->until.empty() ? "then" : claimed->until, claimed->made_at);
  return hinted(fail(Fault::invalid, "review sign: {} is another report: {}", path,
                     described(claimed->name, claimed->filter, period)),
                "signed would be " +
                    described(review.report, filter, period_text(review.from, review.upto, zone)));
}

Result<int> sign(Session& session, const TimeZone& zone) {
  const Arguments& arguments = session.arguments();
  Review review;
  review.report = TRY(named_report(arguments));
  review.filter = arguments.text("--query");
  std::tie(review.from, review.upto) = TRY(period_of(arguments, zone));
  if (*review.upto > clock_now())
    return hinted(fail(Fault::invalid, "review sign: the period has not ended"),
                  "what is still to come cannot have been looked at");
  review.reviewer = arguments.text("--by");
  review.verdict = arguments.text("--verdict");
  review.comment = arguments.text("--comment");
  if (review.report.empty() || review.reviewer.empty() || review.verdict.empty())
    return hinted(fail(Fault::invalid, "review sign: the report, --by or --verdict is missing"),
                  "vestige review sign changes --period 2026-11 --by ann --verdict in-order");
  if (const auto path = arguments.value("--file"); path.has_value()) {
    if (std::filesystem::exists(*path) && !std::filesystem::is_regular_file(*path))
      return fail(Fault::invalid, "review sign: {} is no file that could be kept", *path);
    const std::string bytes = TRY(file_bytes(*path));
    TRY(check_file(*path, bytes, review, zone));
    const Hash hash = sha256(bytes);
    json::append_hex(review.report_hash, view(hash));
  }
  Context context;
  context.set("actor", review.reviewer);
  const std::string signed_text =
      fmt::format("{}, {}", review.report, period_text(review.from, review.upto, zone));
  const std::int64_t change = TRY(sign_review(*TRY(session.database()), review, context));
  session.say(fmt::format("signed off {} as change {}", signed_text, change));
  return kDone;
}

Result<int> list_reviews(Session& session, const TimeZone& zone) {
  const auto time = [](std::optional<std::int64_t> at) {
    return at.has_value() ? format_time(*at) : std::string();
  };
  const auto all = TRY(reviews(*TRY(session.database())));
  Output& output = session.output();
  if (output.format() == Format::csv)
    output.csv({"change", "at", "who", "report", "filter", "from", "to", "report_hash",
                "checkpoint", "reviewer", "verdict", "comment"});
  Table table(output, {{.name = "change", .right = true},
                       {.name = time_heading("signed")},
                       {.name = "report"},
                       {.name = "period"},
                       {.name = "reviewer", .elastic = true},
                       {.name = "verdict"},
                       {.name = "comment", .elastic = true}});
  for (const Review& one : all) {
    if (output.format() == Format::json) output.json(to_json(one));
    if (output.format() == Format::csv)
      output.csv({std::to_string(one.change), format_time(one.at), csv_text(one.who.value_or("")),
                  csv_text(one.report), csv_text(one.filter), time(one.from), time(one.upto),
                  csv_text(one.report_hash), csv_text(one.checkpoint), csv_text(one.reviewer),
                  csv_text(one.verdict), csv_text(one.comment)});
    if (output.format() != Format::table) continue;
    table.row({{Label::id, std::to_string(one.change)},
               {Label::time, time_cell(output, one.at)},
               {Label::name, one.report + (one.filter.empty() ? "" : " " + one.filter)},
               {Label::plain, period_text(one.from, one.upto, zone)},
               {Label::person, one.reviewer},
               {Label::plain, one.verdict},
               {Label::reason, one.comment}});
  }
  table.end();
  if (all.empty()) session.say("nothing was signed off");
  return kDone;
}

// What is to be looked at: one report of the command line, or what vestige.toml says.
Result<std::vector<PlannedReview>> wanted_reviews(const Arguments& arguments) {
  PlannedReview one;
  one.report = TRY(named_report(arguments));
  std::vector<PlannedReview> all;
  if (one.report.empty() && !arguments.has("--every") && std::filesystem::exists(plan_file()))
    all = TRY(read_plan(plan_file())).reviews;
  if (!all.empty()) return all;
  if (one.report.empty() || !arguments.has("--every"))
    return hinted(fail(Fault::invalid, "review due: the report or --every is missing"),
                  "vestige review due changes --every month; [review.NAME] of vestige.toml says it"
                  " for good");
  one.every = TRY(every_from_name(arguments.text("--every")));
  one.filter = arguments.text("--query");
  all.push_back(one);
  return all;
}

// From when on: as the command line says, or the plan, or since the trail began.
Result<std::int64_t> beginning(Database& db, const Arguments& arguments,
                               const PlannedReview& review, std::int64_t now) {
  if (const auto since = TRY(moment_of(arguments, "--since")); since.has_value()) return *since;
  if (!review.since.empty()) return moment_of(review.since, arguments);
  std::int64_t first = now;
  for (const Tracked& one : TRY(tracked_tables(db))) first = std::min(first, one.tracked_at);
  return first;
}

void print_due(Output& output, const PlannedReview& review, const Period& period,
               const TimeZone& zone) {
  const auto& [from, upto] = period;
  if (output.format() == Format::json)
    output.json(fmt::format(R"({{"due":"review","report":{},"filter":{},"from":"{}","to":"{}"}})",
                            text_json(review.report), text_json(review.filter), format_time(from),
                            format_time(upto)));
  else if (output.format() == Format::csv)
    output.csv({"review", csv_text(review.report), format_time(from), format_time(upto),
                csv_text(review.filter)});
  else
    output.line({{Label::name, review.report},
                 {Label::plain, described("", review.filter, period_text(from, upto, zone)) +
                                    ": nobody signed"}});
}

void print_due(Output& output, const OpenAlert& alert) {
  if (output.format() == Format::json)
    output.json(fmt::format(R"({{"due":"alert","alert":{},"severity":{},"title":{},"from":"{}"}})",
                            text_json(alert.id), text_json(alert.severity), text_json(alert.title),
                            format_time(alert.since)));
  else if (output.format() == Format::csv)
    output.csv({"alert", csv_text(alert.id), format_time(alert.since), "", ""});
  else
    output.line({{Label::name, "alert " + alert.id},
                 {Label::plain, ", " + alert.severity + ": " + alert.title + ": open since " +
                                    said_time(alert.since)}});
}

Result<int> due(Session& session, const TimeZone& zone) {
  const Arguments& arguments = session.arguments();
  const auto wanted = TRY(wanted_reviews(arguments));
  const std::int64_t now =
      std::min(TRY(moment_of(arguments, "--until")).value_or(clock_now()), clock_now());
  Database& db = *TRY(session.database());
  const auto done = TRY(reviews(db));
  constexpr std::int64_t kWeek = 7 * 86'400'000'000LL;
  const auto alerts =
      TRY(open_alerts(db, TRY(moment_of(arguments, "--alerts")).value_or(clock_now() - kWeek)));
  Output& output = session.output();
  if (output.format() == Format::csv) output.csv({"due", "what", "from", "to", "filter"});
  bool missing = false;
  for (const PlannedReview& review : wanted) {
    const std::int64_t since = TRY(beginning(db, arguments, review, now));
    const auto periods = ended_periods(review.every, since, now, zone);
    for (const Period& period : unsigned_periods(done, review.report, review.filter, periods)) {
      print_due(output, review, period, zone);
      missing = true;
    }
  }
  for (const OpenAlert& one : alerts) print_due(output, one);
  if (!missing && alerts.empty()) session.say("nothing is due");
  return !missing && alerts.empty() ? kDone : kNo;
}

Result<int> run_review(Session& session) {
  const Arguments& arguments = session.arguments();
  const std::string action = arguments.words().empty() ? "list" : arguments.words().front();
  const TimeZone zone = TRY(clock_of(arguments));
  if (const auto query = arguments.value("--query"); query.has_value())
    TRY(parse_filter(*query, Now(clock_now(), Zone::local)));
  const bool names_none = action == "list" || (action == "due" && arguments.words().size() < 2);
  if (arguments.has("--query") && names_none)
    return hinted(fail(Fault::invalid, "review {}: --query goes with a report", action),
                  "vestige review due changes --every month -q class:phi");
  if (action == "sign") return sign(session, zone);
  if (action == "due") return due(session, zone);
  if (action == "list") return list_reviews(session, zone);
  return hinted(fail(Fault::invalid, "review: '{}' is nothing that can be done", action),
                "due, sign or list");
}

}  // namespace

Command review_command() {
  return {
      .name = "review",
      .group = "prove",
      .summary = "sign off that a period was looked at, and say which were not",
      .arguments = "[due [REPORT] | sign REPORT | list]",
      .least = 0,
      .most = 2,
      .about =
          {"sign records that somebody looked at a report of a period, which has ended: who "
           "(--by), "
           "what came of it (--verdict, --comment), the SHA-256 of the report's file, and the "
           "trail's last checkpoint. It stands in a table of the trail's own, so it is sealed, and "
           "`vestige prove` makes a receipt of it, as of any change.",
           "due prints the periods that have ended, since the trail began or --since, and that no "
           "sign-off of the report covers; and alerts that have been open for more than a week, or "
           "since before --alerts. Exit 1 while there are any, and 0 when there are none. Without "
           "REPORT and --every it asks for each [review.NAME] of vestige.toml.",
           "REPORT is the name of a report; with --query, of that report under a filter. Periods "
           "begin and end by the clock of --tz, or of UTC; weeks begin on Mondays. On PostgreSQL "
           "sign-offs are made by members of vestige_admin and vestige_auditor."},
      .options =
          {{.names = "--every",
            .value = "PERIOD",
            .summary = "of due: how often it is looked at",
            .choices = {"day", "week", "month", "quarter", "year"}},
           {.names = "--period",
            .value = "PERIOD",
            .summary = "of sign: 2026-11, 2026Q3, 2026, 2026-11-28"},
           {.names = "--since",
            .value = "TIME",
            .summary = "the beginning of the period; of due, of the first one"},
           {.names = "--until", .value = "TIME", .summary = "its end; of due, of the last one"},
           {.names = "-q, --query", .value = "FILTER", .summary = "the filter of the report"},
           {.names = "--file", .value = "FILE", .summary = "the report that was looked at"},
           {.names = "--verdict",
            .value = "WORD",
            .summary = "what came of it",
            .choices = {"in-order", "exceptions"}},
           {.names = "--comment", .value = "TEXT", .summary = "what is to be said of it"},
           {.names = "--alerts",
            .value = "TIME",
            .summary = "of due: alerts that were opened before, and are open"},
           {.names = "--by", .value = "NAME", .summary = "who signs"},
           format_option()},
      // --by is also who looks, where that is recorded.
      .actions = {{"list", "--by"},
                  {"due", "--every --since --until --query --alerts --by"},
                  {"sign", "--period --since --until --query --file --verdict --comment --by"}},
      .examples = {{"vestige review due changes --every month", "was every month looked at?"},
                   {"vestige review sign changes --period 2026-10 --file october.html --by ann "
                    "--verdict in-order",
                    "ann has looked at October"}},
      .run = run_review};
}

}  // namespace vestige::cli
