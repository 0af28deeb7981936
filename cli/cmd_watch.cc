// watch: rules follow the feed.
#include <algorithm>

#include "cli/deliver.h"
#include "cli/plan_file.h"
#include "cli/rules.h"
#include "cli/stop.h"
#include "cli/trust.h"
#include "vestige/audit/report_basis.h"
#include "vestige/base/time.h"
#include "vestige/rules/watch.h"

namespace vestige::cli {
namespace {

constexpr double kPause = 0.2;  // seconds between two looks

// What hinders, once.
void say_hindrance(Session& session, Follower& follower, std::string& said) {
  const auto& why = follower.hindered();
  std::string text;
  if (why.has_value())
    text = why->fault == Fault::denied ? said_hindrance(session, *why)
                                       : why->message + "; it is waited for";
  if (text != said && !text.empty()) session.say(text);
  said = std::move(text);
}

// A table that never ends: its columns are as wide as what may come.
class RaisedPrinter {
 public:
  RaisedPrinter(Session& session, const std::vector<Rule>& rules) : session_(session) {
    for (const Rule& rule : rules) width_ = std::max(width_, rule.id.size());
  }

  void print(const std::vector<KeptAlert>& raised) {
    for (const KeptAlert& kept : raised) {
      const Alert& alert = kept.alert;
      if (session_.format() == Format::json) {
        session_.output().json(to_json(kept));
        continue;
      }
      if (!headed_)
        line({Label::head, time_heading("time")}, {Label::head, "severity"}, {Label::head, "rule"},
             {Label::head, "alert"}, {Label::head, "what"});
      headed_ = true;
      line({Label::time, short_time(alert.at)}, {label_of(alert.severity), alert.severity},
           {Label::name, alert.rule}, {Label::id, alert.id}, {Label::plain, alert.title});
    }
  }

 private:
  void line(Piece time, Piece severity, Piece rule, Piece alert, const Piece& what) {
    time.text = fmt::format("{:<19}  ", time.text);
    severity.text = fmt::format("{:<8}  ", severity.text);
    rule.text = fmt::format("{:<{}}  ", rule.text, width_);
    alert.text = fmt::format("{:<16}  ", alert.text);
    session_.output().line({time, severity, rule, alert, what});
  }

  Session& session_;
  std::size_t width_ = std::string_view("vestige").size();  // that raises some, too
  bool headed_ = false;
};

// That the database is locked for a moment ends nothing: what was told then is told again, under the same id.
// returns  how often somebody was told in vain
Result<std::int64_t> deliver(Session& session, Database& db, Deliverer& deliverer, bool raised) {
  if (raised) deliverer.raised();
  if (!deliverer.is_due(clock_now())) return 0;
  const auto round = deliverer.round(session, db);
  if (round.has_value()) return round->untold;
  if (round.error().fault == Fault::conflict) return 0;
  return tl::unexpected<Error>(round.error());
}

bool goes_on(Session& session) { return !stop_requested() && session.output().wanted(); }

// What verify finds, for rules that watch for it: the first of it, and how much there is.
Watch::Verifier verifier_of(Database& db, Trust trust) {
  return [&db, trust = std::move(trust)]() -> Result<std::string> {
    const Verified done = TRY(verified_for_report(db, trust, nullptr));
    if (done.found == 0) return std::string();
    const std::string first = done.findings.empty() ? "" : ": " + done.findings.front().message;
    return fmt::format("the record is not as it was sealed: {}{}",
                       counted(static_cast<std::int64_t>(done.found), "finding"), first);
  };
}

Result<int> run_watch(Session& session) {
  const bool once = session.arguments().has("--once");
  auto rules = TRY(rules_here(session));
  Database& db = *TRY(rules_database(session));
  RaisedPrinter printer(session, rules);
  catch_stop_signals();
  auto judge = TRY(judge_for(session, db, rules));
  Watch::Verifier verifier;
  if (asks_to_verify(rules)) verifier = verifier_of(db, TRY(planned_trust()));
  const auto watch = TRY(Watch::open(db, std::move(rules), session.arguments().has("--backfill"),
                                     std::move(judge), std::move(verifier)));
  for (const std::string& rule : watch->begun())
    session.say(fmt::format("rule {} begins behind index {}", rule, watch->follower().at()));
  Deliverer deliverer =
      TRY(Deliverer::from(session.arguments().value("--file").value_or(plan_file())));
  std::string said;
  std::int64_t raised = 0;
  std::int64_t untold = 0;
  while (goes_on(session)) {
    const Watch::Turn turn = TRY(watch->turn(clock_now()));
    raised += static_cast<std::int64_t>(turn.raised.size());
    printer.print(turn.raised);
    TRY(session.output().written());
    untold += TRY(deliver(session, db, deliverer, !turn.raised.empty()));
    say_hindrance(session, watch->follower(), said);
    if (once && !turn.more && !turn.waits) break;
    if (!turn.more && goes_on(session)) sleep_while_read(kPause);
  }
  if (once)
    session.say(
        fmt::format("{} raised, up to index {}", counted(raised, "alert"), watch->follower().at()));
  return once && untold > 0 ? kNo : kDone;
}

}  // namespace

Command watch_command() {
  return {
      .name = "watch",
      .group = "watch",
      .summary = "follow the changes, and raise alerts by the rules of vestige.toml",
      .about =
          {"Sees every change once, in the sealed order, and keeps what the rules raise in a table "
           "of the trail's own (vestige alert list). What the rules remember, the alerts and how "
           "far it is are written in one transaction: whenever it is stopped, or killed, it goes "
           "on where it was, and raises nothing twice.",
           "A rule that is new, or other than it was, begins with the changes to come; with "
           "--backfill it begins with the first of all, and what it raises of those that are over "
           "is marked and not delivered. Of two that watch one database one is told that there "
           "is another.",
           "With --once the exit is 1 when somebody could not be told of an alert."},
      .options = {{.names = "--once", .value = "", .summary = "see what there is, and end"},
                  {.names = "--backfill",
                   .value = "",
                   .summary = "new rules see what there was before them, too"},
                  {.names = "-f, --file",
                   .value = "FILE",
                   .summary = "otherwise vestige.toml, here or in a folder above"},
                  {.names = "--format",
                   .value = "FORMAT",
                   .summary = "table or json, an object for each alert",
                   .choices = {"table", "json"}}},
      .examples = {{"vestige watch", "until it is stopped: a service"},
                   {"vestige watch --once", "every minute, from cron"},
                   {"vestige watch --once --backfill", "rules that are new, over all that was"}},
      .all_or_nothing = true,
      .run = run_watch,
  };
}

}  // namespace vestige::cli
