// alert: what rules have raised, and what becomes of it.
#include "cli/deliver.h"
#include "cli/plan_file.h"
#include "cli/rules.h"
#include "vestige/base/time.h"
#include "vestige/rules/alerts.h"
#include "vestige/rules/rule_file.h"

namespace vestige::cli {
namespace {

constexpr std::int64_t kListed = 100;
constexpr std::int64_t kLongestSilence = 366LL * 24 * 3600 * 1'000'000;  // microseconds

std::string first_word(const Session& session) { return session.arguments().words().front(); }

Result<std::string> only_word(Session& session, std::string_view what) {
  const auto& words = session.arguments().words();
  if (words.size() != 2)
    return fail(Fault::invalid, "alert {}: {}", words.front(),
                words.size() < 2 ? fmt::format("which {} is not said", what)
                                 : fmt::format("one {} at a time", what));
  return words[1];
}

// Who does it, and how that stands in the trail.
Result<Context> by_whom(Session& session) {
  Context context = TRY(session.arguments().context("--by"));
  if (context.get("actor") == nullptr)
    return hinted(fail(Fault::invalid, "alert {}: who does it is not said", first_word(session)),
                  "--by NAME");
  return context;
}

std::string reason_of(const Context& context) {
  const std::string* reason = context.get("reason");
  return reason == nullptr ? "" : *reason;
}

Result<std::optional<AlertState>> state_of(const Session& session) {
  const auto text = session.arguments().value("--state");
  if (!text.has_value()) return std::optional<AlertState>();
  for (const AlertState one :
       {AlertState::open, AlertState::acknowledged, AlertState::closed, AlertState::silenced})
    if (name(one) == *text) return std::optional(one);
  return fail(Fault::invalid, "--state: '{}' is no state of an alert", *text);
}

std::string what_of(const KeptAlert& kept) {
  return kept.damaged.empty() ? kept.alert.title : "damaged: " + kept.damaged;
}

void print(Session& session, const std::vector<KeptAlert>& all) {
  Output& output = session.output();
  if (session.format() == Format::json) {
    for (const KeptAlert& one : all) output.json(to_json(one));
    return;
  }
  if (session.format() == Format::csv) {
    output.csv({"id", "at", "severity", "state", "rule", "title", "owner", "comment"});
    for (const KeptAlert& one : all)
      output.csv({csv_text(one.alert.id), format_time(one.alert.at), csv_text(one.alert.severity),
                  std::string(name(one.state)), csv_text(one.alert.rule), csv_text(what_of(one)),
                  csv_text(one.owner), csv_text(one.comment)});
    return;
  }
  Table table(output, {{.name = time_heading("time")},
                       {.name = "severity"},
                       {.name = "state"},
                       {.name = "alert"},
                       {.name = "rule", .elastic = true},
                       {.name = "what", .elastic = true, .dear = true},
                       {.name = "who", .elastic = true}});
  for (const KeptAlert& one : all)
    table.row({{Label::time, time_cell(output, one.alert.at)},
               {label_of(one.alert.severity), one.alert.severity},
               {one.state == AlertState::open ? Label::warning : Label::faint,
                std::string(name(one.state))},
               {Label::id, one.alert.id},
               {Label::name, one.alert.rule},
               {one.damaged.empty() ? Label::plain : Label::bad, what_of(one)},
               {Label::person, one.owner}});
}

Result<int> list(Session& session) {
  AlertSelection selection;
  selection.state = TRY(state_of(session));
  selection.rule = session.arguments().text("--rule");
  selection.limit = TRY(session.arguments().number("--limit")).value_or(kListed);
  const auto all = TRY(kept_alerts(*TRY(session.database()), selection));
  print(session, all);
  if (all.empty()) session.say("there are no such alerts");
  if (static_cast<std::int64_t>(all.size()) == selection.limit)
    session.say(fmt::format("the latest {}; --limit shows more", all.size()));
  return kDone;
}

void line(Output& output, std::string_view what, const std::string& text) {
  if (!text.empty())
    output.line({{Label::faint, fmt::format("  {:<12}", what)}, {Label::plain, text}});
}

Result<int> show_one(Session& session) {
  const std::string id = TRY(only_word(session, "alert"));
  const KeptAlert kept = TRY(kept_alert(*TRY(session.database()), id));
  Output& output = session.output();
  if (session.format() != Format::table) {
    print(session, {kept});
    return kDone;
  }
  const Alert& alert = kept.alert;
  output.line({{Label::id, alert.id}, {Label::plain, "  " + alert.title}});
  line(output, "damaged", kept.damaged);
  line(output, "rule", fmt::format("{} ({}, {})", alert.rule, alert.kind, alert.severity));
  line(output, "state",
       std::string(name(kept.state)) + (alert.quiet ? ", not delivered" : "") +
           (kept.backfilled ? ", backfilled" : ""));
  line(output, "time", said_time(alert.at));
  line(output, "group", alert.group == "{}" ? "" : alert.group);
  line(output, "changes", fmt::format("{}", fmt::join(alert.changes, ", ")));
  line(output, "index",
       alert.first_index == alert.last_index
           ? std::to_string(alert.first_index)
           : fmt::format("{} to {}", alert.first_index, alert.last_index));
  line(output, "owner", kept.owner);
  line(output, "comment", kept.comment);
  return kDone;
}

Result<int> set(Session& session, AlertState state) {
  const auto ids = session.arguments().words_from(1);
  if (ids.empty())
    return fail(Fault::invalid, "alert {}: which alert is not said", first_word(session));
  const Context context = TRY(by_whom(session));
  Database& db = *TRY(session.database());
  for (const std::string& id : ids) {
    const KeptAlert kept =
        TRY(set_alert(db, id, state, *context.get("actor"), reason_of(context), context));
    if (session.format() == Format::json) session.output().json(to_json(kept));
    session.say(fmt::format("alert {} is {}, by {}", kept.alert.id, name(state), kept.owner));
  }
  return kDone;
}

Result<int> make_silence(Session& session) {
  const std::string words = TRY(only_word(session, "filter of alerts"));
  const auto period = session.arguments().value("--for");
  if (!period.has_value())
    return hinted(fail(Fault::invalid, "alert silence: for how long is not said"), "--for 8h");
  const std::int64_t length = TRY(parse_period(*period));
  if (length > kLongestSilence) return fail(Fault::invalid, "alert silence: a year is the longest");
  const Context context = TRY(by_whom(session));
  if (reason_of(context).empty())
    return hinted(fail(Fault::invalid, "alert silence: why is not said"), "--reason TEXT");
  const std::int64_t now = clock_now();
  const KeptAlert made = TRY(silence(*TRY(session.database()), words, now, now + length,
                                     *context.get("actor"), reason_of(context), context));
  if (session.format() == Format::json) session.output().json(to_json(made));
  session.say(fmt::format("what is '{}' is recorded and told to nobody until {}", words,
                          said_time(made.until)));
  return kDone;
}

Result<int> deliver(Session& session) {
  Deliverer deliverer = TRY(Deliverer::from(plan_file()));
  const auto done = TRY(deliverer.round(session, *TRY(session.database())));
  session.say(fmt::format("{} told, {} not", counted(done.told, "alert"), done.untold));
  return done.untold == 0 ? kDone : kNo;
}

Result<int> run_alert(Session& session) {
  const std::string what = first_word(session);
  if (what == "list") return list(session);
  if (what == "show") return show_one(session);
  if (what == "ack") return set(session, AlertState::acknowledged);
  if (what == "close") return set(session, AlertState::closed);
  if (what == "silence") return make_silence(session);
  if (what == "deliver") return deliver(session);
  return hinted(fail(Fault::invalid, "alert: '{}' is nothing that can be done", what),
                "vestige alert list, show, ack, close, silence, deliver");
}

}  // namespace

Command alert_command() {
  return {
      .name = "alert",
      .group = "watch",
      .summary = "what rules have raised, and what becomes of it",
      .arguments = "list | show ID | ack ID… | close ID… | silence WORDS | deliver",
      .least = 1,
      .most = kAny,
      .about =
          {"Alerts stand in a table of the trail's own, which is recorded and sealed as others "
           "are: "
           "log and prove show who took one up, and who closed it, when and why.",
           "An id may be cut short, to 4 letters or more. WORDS say which alerts are told to "
           "nobody "
           "for a time, rule:night-work actor:ann table:products severity:low: all of it holds. "
           "They are raised all the same, and recorded as silenced.",
           "deliver tells those of [notify.NAME] what they were not told yet and is due "
           "(docs/delivery.md); "
           "watch does so by itself. Exit 1 when something could not be told.",
           "On PostgreSQL alerts are taken up by members of vestige_admin and vestige_auditor."},
      .options = joined({{.names = "--state",
                          .value = "STATE",
                          .summary = "list: open, acknowledged, closed, silenced"},
                         {.names = "--rule", .value = "ID", .summary = "list: of that rule"},
                         {.names = "--limit", .value = "N", .summary = "list: otherwise 100"},
                         {.names = "--for", .value = "PERIOD", .summary = "silence: 90m, 8h, 2d"},
                         format_option()},
                        context_options("--by")),
      .examples = {{"vestige alert list --state open", "what has to be looked at?"},
                   {"vestige alert ack 3f2a --by ann", "somebody does"},
                   {"vestige alert close 3f2a --by ann --reason 'the new price list'",
                    "nothing is left to do"},
                   {"vestige alert silence 'rule:night-work actor:ann' --for 8h --by eve --reason "
                    "'the year ends'",
                    "be told of nothing that she does tonight"}},
      .all_or_nothing = true,
      .run = run_alert,
  };
}

}  // namespace vestige::cli
