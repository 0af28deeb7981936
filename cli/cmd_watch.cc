// watch: rules follow the feed.
#include "cli/deliver.h"
#include "cli/plan_file.h"
#include "cli/rules.h"
#include "cli/stop.h"
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
    text = why->fault == Fault::denied
               ? fmt::format("what others put in order is seen; this role may not do so: {}",
                             session.explained(*why).message)
               : why->message + "; it is waited for";
  if (text != said && !text.empty()) session.say(text);
  said = std::move(text);
}

void print(Session& session, const std::vector<KeptAlert>& raised) {
  for (const KeptAlert& kept : raised) {
    if (session.format() == Format::json) session.output().json(to_json(kept));
    else
      session.output().line({{Label::time, short_time(kept.alert.at)},
                             {Label::plain, "  "},
                             {label_of(kept.alert.severity), kept.alert.severity},
                             {Label::plain, "  "},
                             {Label::id, kept.alert.id},
                             {Label::plain, "  "},
                             {Label::name, kept.alert.rule},
                             {Label::plain, "  " + kept.alert.title}});
  }
}

// That the database is locked for a moment ends nothing: what was told then is told again, under the same id.
Result<void> deliver(Session& session, Database& db, Deliverer& deliverer, bool raised) {
  if (raised) deliverer.raised();
  if (!deliverer.is_due(clock_now())) return {};
  const auto round = deliverer.round(session, db);
  if (round.has_value() || round.error().fault == Fault::conflict) return {};
  return tl::unexpected<Error>(round.error());
}

bool goes_on(Session& session) { return !stop_requested() && session.output().wanted(); }

Result<int> run_watch(Session& session) {
  const bool once = session.arguments().has("--once");
  auto rules = TRY(rules_here(session));
  Database& db = *TRY(rules_database(session));
  catch_stop_signals();
  const auto watch = TRY(Watch::open(db, std::move(rules), session.arguments().has("--backfill")));
  for (const std::string& rule : watch->begun())
    session.say(fmt::format("rule {} begins behind index {}", rule, watch->follower().at()));
  Deliverer deliverer =
      TRY(Deliverer::from(session.arguments().value("--file").value_or(plan_file())));
  std::string said;
  std::int64_t raised = 0;
  while (goes_on(session)) {
    const Watch::Turn turn = TRY(watch->turn(clock_now()));
    raised += static_cast<std::int64_t>(turn.raised.size());
    print(session, turn.raised);
    TRY(session.output().written());
    TRY(deliver(session, db, deliverer, !turn.raised.empty()));
    say_hindrance(session, watch->follower(), said);
    if (once && !turn.more && !turn.waits) break;
    if (!turn.more && goes_on(session)) sleep_while_read(kPause);
  }
  if (once)
    session.say(
        fmt::format("{} raised, up to index {}", counted(raised, "alert"), watch->follower().at()));
  return kDone;
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
           "is another."},
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
