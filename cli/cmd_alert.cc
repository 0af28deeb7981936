// alert: what rules have raised, and what becomes of it.
#include <algorithm>
#include "cli/deliver.h"
#include "cli/plan_file.h"
#include "cli/rules.h"

#include "cli/table.h"
#include "vestige/base/nearest.h"
#include "vestige/base/time.h"
#include "vestige/rules/alerts.h"
#include "vestige/rules/outbox.h"
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

Result<int> list_alerts(Session& session) {
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

std::string said_of(const Told& one) {
  if (one.delivered.has_value())
    return fmt::format("{} at {}", one.target, said_time(*one.delivered));
  return fmt::format(
      "{}: {}; {}", one.target, one.error,
      one.next.has_value() ? "tried again at " + said_time(*one.next) : "it is not tried again");
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
  for (const Told& one : TRY(told_of(*TRY(session.database()), alert.id)))
    line(output, one.delivered.has_value() ? "told" : "not told", said_of(one));
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

// A rule that is not there raises nothing: a silence of it is a slip. Where no rules are to be seen, as on another machine than
// that of watch, it is taken as it is.
Result<void> known_rules(const Session& session, const std::string& words) {
  const auto said = TRY(silence_words(words));
  const auto rules = rules_here(session);
  if (!rules.has_value()) return {};
  std::vector<std::string> names = {"vestige"};  // of what no rule could see
  for (const Rule& one : *rules) names.push_back(one.id);
  for (const auto& [field, value] : said) {
    if (field != "rule" || std::find(names.begin(), names.end(), value) != names.end()) continue;
    const std::string near = nearest(value, names);
    return hinted(fail(Fault::missing, "alert silence: there is no rule {}", value),
                  near.empty() ? "vestige rules list" : fmt::format("did you mean {}?", near));
  }
  return {};
}

void print_silences(Session& session, const std::vector<KeptAlert>& all, std::int64_t now) {
  Output& output = session.output();
  const auto state = [now](const KeptAlert& one) {
    if (one.state == AlertState::closed) return "lifted";
    return one.until > now ? "in force" : "over";
  };
  if (session.format() == Format::json) {
    for (const KeptAlert& one : all)
      output.json(fmt::format(
          R"({{"id":"{}","words":{},"state":"{}","from":"{}","until":"{}","by":{},"reason":{}}})",
          one.alert.id, text_json(one.alert.title), state(one), format_time(one.alert.at),
          format_time(one.until), text_json(one.owner), text_json(one.comment)));
    return;
  }
  if (session.format() == Format::csv) {
    output.csv({"id", "words", "state", "from", "until", "by", "reason"});
    for (const KeptAlert& one : all)
      output.csv({csv_text(one.alert.id), csv_text(one.alert.title), state(one),
                  format_time(one.alert.at), format_time(one.until), csv_text(one.owner),
                  csv_text(one.comment)});
    return;
  }
  Table table(output, {{.name = time_heading("until")},
                       {.name = "state"},
                       {.name = "silence"},
                       {.name = "words", .elastic = true, .dear = true},
                       {.name = "by", .elastic = true},
                       {.name = "reason", .elastic = true}});
  for (const KeptAlert& one : all)
    table.row({{Label::time, time_cell(output, one.until)},
               {Label::plain, state(one)},
               {Label::id, one.alert.id},
               {Label::name, one.alert.title},
               {Label::person, one.owner},
               {Label::plain, one.comment}});
}

Result<int> list_silences(Session& session) {
  auto all = TRY(kept_silences(*TRY(session.database())));
  std::erase_if(all, [](const KeptAlert& one) { return !one.damaged.empty(); });
  print_silences(session, all, clock_now());
  if (all.empty()) session.say("there are no silences");
  return kDone;
}

Result<int> lift(Session& session) {
  const std::string id = TRY(only_word(session, "silence"));
  const Context context = TRY(by_whom(session));
  const KeptAlert lifted = TRY(lift_silence(*TRY(session.database()), id, clock_now(),
                                            *context.get("actor"), reason_of(context), context));
  session.say(fmt::format("what is '{}' is told again", lifted.alert.title));
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
  TRY(known_rules(session, words));
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
  if (what == "list") return list_alerts(session);
  if (what == "show") return show_one(session);
  if (what == "ack") return set(session, AlertState::acknowledged);
  if (what == "close") return set(session, AlertState::closed);
  if (what == "silence") return make_silence(session);
  if (what == "silences") return list_silences(session);
  if (what == "lift") return lift(session);
  if (what == "deliver") return deliver(session);
  return hinted(fail(Fault::invalid, "alert: '{}' is nothing that can be done", what),
                "vestige alert list, show, ack, close, silence, silences, lift, deliver");
}

}  // namespace

Command alert_command() {
  const std::string said = names_of(context_options("--by"));
  return {
      .name = "alert",
      .group = "watch",
      .summary = "what rules have raised, and what becomes of it",
      .arguments =
          "list | show ID | ack ID… | close ID… | silence WORDS | silences | lift ID | deliver",
      .least = 1,
      .most = kAny,
      .about =
          {"Alerts stand in a table of the trail's own, which is recorded and sealed as others "
           "are: "
           "log and prove show who took one up, and who closed it, when and why.",
           "An id may be cut short, to 4 letters or more. WORDS say which alerts are told to "
           "nobody "
           "for a time, rule:night-work actor:ann table:products severity:low: all of it holds. "
           "They are raised all the same, and recorded as silenced. silences lists what is "
           "silenced so, and lift ends one.",
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
      // --by is also who looks, where that is recorded.
      .actions = {{"list", "--state --rule --limit --by"},
                  {"show", "--by"},
                  {"ack", said},
                  {"close", said},
                  {"silence", "--for " + said},
                  {"silences", "--by"},
                  {"lift", said},
                  {"deliver", "--by"}},
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
