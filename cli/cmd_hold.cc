// hold: what must be kept for a matter, whatever else would take it.
#include <filesystem>

#include "cli/filter.h"
#include "cli/plan_file.h"
#include "cli/session.h"
#include "cli/table.h"
#include "vestige/audit/log.h"
#include "vestige/audit/plan.h"
#include "vestige/base/time.h"
#include "vestige/trail/hold.h"
#include "vestige/trail/track.h"

namespace vestige::cli {
namespace {

Context said(const Arguments& arguments) {
  Context context;
  if (const auto who = arguments.value("--by"); who.has_value()) context.set("actor", *who);
  if (const auto why = arguments.value("--reason"); why.has_value()) context.set("reason", *why);
  return context;
}

Result<bool> two_persons(const Arguments& arguments) {
  if (arguments.has("--two-persons")) return true;
  const std::string plan = plan_file();
  if (!std::filesystem::exists(plan)) return false;
  return TRY(read_plan(plan)).two_persons;
}

// What is needed and was not given, all of it at once.
Result<void> require(const Arguments& arguments, std::string_view attempt,
                     std::initializer_list<const char*> options, std::string_view example) {
  std::vector<std::string_view> missing;
  for (const char* option : options)
    if (arguments.text(option).empty()) missing.emplace_back(option);
  if (missing.empty()) return {};
  return hinted(fail(Fault::invalid, "{}: {} {} missing", attempt, fmt::join(missing, ", "),
                     missing.size() == 1 ? "is" : "are"),
                std::string(example));
}

// How many of the application's changes a filter describes now.
Result<std::int64_t> described_now(Database& db, const Filter& filter) {
  Selection selection;
  selection.filter = filter;
  selection.forgiving = true;
  auto changes = TRY(read_changes(db, selection));
  std::int64_t count = 0;
  while (const auto change = TRY(changes->next()))
    if (!is_own_table(db, change->table)) ++count;
  return count;
}

Result<int> place(Session& session) {
  const Arguments& arguments = session.arguments();
  const bool all = arguments.has("--everything");
  if (arguments.words().size() != 1 || all == !arguments.values("--query").empty())
    return hinted(fail(Fault::invalid, "hold place: say what is to be kept"),
                  "-q 'table:orders actor:ann since:2025-01-01', or --everything");
  TRY(require(arguments, "hold place", {"--matter", "--by", "--reason"},
              "--matter 'Doe v. Shop' --by counsel --reason 'letter of 12 May'"));
  Filter filter = TRY(read_filters(arguments));
  const bool two = TRY(two_persons(arguments));
  Database& db = *TRY(session.database());
  TRY(resolve_names(db, std::nullopt, filter));
  const std::string matter = arguments.text("--matter");
  const std::int64_t id = TRY(place_hold(db, matter, filter, two, said(arguments)));
  session.say(fmt::format("hold {} for {} is in force: {}{}", id, text_json(matter),
                          all ? "nothing that was or will be recorded goes"
                              : "nothing that its filter describes goes, recorded before or after",
                          two ? "; another person releases it" : ""));
  if (all) return kDone;
  const std::int64_t now = TRY(described_now(db, filter));
  session.say(
      now == 0 ? std::string("note: no change matches now; vestige log -q is a test of it")
               : fmt::format("{} {} now", counted(now, "change"), now == 1 ? "matches" : "match"));
  return kDone;
}

Result<int> release(Session& session) {
  const Arguments& arguments = session.arguments();
  if (arguments.words().size() != 2)
    return hinted(fail(Fault::invalid, "hold release: which one?"),
                  "vestige hold release MATTER|ID --by NAME --reason TEXT");
  TRY(require(arguments, "hold release", {"--by", "--reason"}, "--by judge --reason settled"));
  const auto done =
      TRY(release_hold(*TRY(session.database()), arguments.words()[1], said(arguments)));
  for (const Hold& one : done)
    session.say(fmt::format("released hold {} for {}", one.id, text_json(one.matter)));
  return kDone;
}

std::string state_of(const Hold& one) {
  if (!one.in_force() && one.released->who.empty()) return "released";  // that was erased
  if (!one.in_force())
    return fmt::format("released by {}: {}", one.released->who, one.released->reason);
  return one.two_persons ? "in force, two persons" : "in force";
}

void print_csv(Output& output, const Hold& one) {
  const auto& released = one.released;
  output.csv({std::to_string(one.id), one.change == 0 ? "" : std::to_string(one.change),
              one.change == 0 ? "" : format_time(one.at), csv_text(one.who), csv_text(one.matter),
              csv_text(one.filter), csv_text(one.reason), one.two_persons ? "true" : "false",
              one.in_force() ? "true" : "false", released ? format_time(released->at) : "",
              csv_text(released ? released->who : ""), csv_text(released ? released->reason : ""),
              std::to_string(one.refused), csv_text(one.attempt)});
}

Result<int> list_holds(Session& session) {
  if (session.arguments().words().size() > 1)
    return fail(Fault::invalid, "hold list: it lists them all");
  const auto all = TRY(holds(*TRY(session.database())));
  Output& output = session.output();
  if (output.format() == Format::csv)
    output.csv({"hold", "change", "at", "who", "matter", "filter", "reason", "two_persons",
                "in_force", "released_at", "released_by", "release_reason", "refused", "attempt"});
  Table table(output, {{.name = "hold", .right = true},
                       {.name = time_heading("placed")},
                       {.name = "matter", .elastic = true, .dear = true},
                       {.name = "what", .elastic = true, .dear = true},
                       {.name = "who", .elastic = true},
                       {.name = "state", .elastic = true},
                       {.name = "refused", .right = true},
                       {.name = "reason", .elastic = true}});
  for (const Hold& one : all) {
    if (output.format() == Format::json) output.json(to_json(one));
    if (output.format() == Format::csv) print_csv(output, one);
    if (output.format() != Format::table) continue;
    table.row({{Label::id, std::to_string(one.id)},
               {Label::time, one.change == 0 ? "" : time_cell(output, one.at)},
               {Label::name, one.matter},
               {Label::plain, one.filter.empty() ? "everything" : one.filter},
               {Label::person, one.who},
               {one.in_force() ? Label::warning : Label::faint, state_of(one)},
               {Label::plain, one.refused == 0 ? "" : std::to_string(one.refused)},
               {Label::reason, one.reason}});
  }
  table.end();
  if (all.empty()) session.say("nothing was ever held");
  return kDone;
}

Result<int> run_hold(Session& session) {
  const auto& words = session.arguments().words();
  const std::string action = words.empty() ? "list" : words.front();
  if (action == "place") return place(session);
  if (action == "release") return release(session);
  if (action == "list") return list_holds(session);
  return hinted(fail(Fault::invalid, "hold: '{}' is nothing that can be done", action),
                "place, release or list");
}

}  // namespace

Command hold_command() {
  return {
      .name = "hold",
      .group = "change",
      .summary = "keep what a matter needs, whatever else would remove it",
      .arguments = "[place | release MATTER|ID | list]",
      .least = 0,
      .most = 2,
      .about =
          {"place keeps what a filter describes (docs/filter.md), recorded before or after: erase, "
           "init --remove and whatever else removes recorded things refuse it, with exit 3 and the "
           "matter's name, and there is no option that overrides that. What nobody can tell any "
           "more is held. With a table and a key it holds the row under every key that it has "
           "had, as erase and log follow it. tag: and class: are no filters of a hold, since a "
           "policy changes them. "
           "On "
           "PostgreSQL the database refuses it too, whoever asks by SQL; what a filter says of "
           "values (old., new., column:, text:, value:, and comparisons of keys but =) is not "
           "judged there: such a hold keeps all that its other conditions describe.",
           "release ends a hold, or every hold for a matter. One that was placed with "
           "--two-persons, or under [hold] two_persons = true in vestige.toml, is released by "
           "another person than the one who placed it, and on PostgreSQL by another login; that "
           "stands in the hold, and not in the file. On SQLite a person is a name that whoever "
           "runs it gives. list prints all that there ever were.",
           "Holds, releases and refused removals are changes of a table of the trail's own: sealed "
           "and shown as any others. On PostgreSQL holds are placed and released by members of "
           "vestige_admin and vestige_auditor."},
      .options =
          {{.names = "--matter",
            .value = "NAME",
            .summary = "what it is kept for; needed to place it"},
           {.names = "-q, --query",
            .value = "FILTER",
            .summary = "what is kept; of several filters all hold",
            .repeated = true},
           {.names = "--everything", .value = "", .summary = "all of the trail is kept"},
           {.names = "--two-persons",
            .value = "",
            .summary = "another person than the one who places it releases it"},
           {.names = "--by", .value = "NAME", .summary = "who places or releases it; needed"},
           {.names = "--reason", .value = "TEXT", .summary = "why, needed: recorded for good"},
           format_option()},
      // --by is also who looks, where that is recorded.
      .actions = {{"list", "--by"},
                  {"place", "--matter --query --everything --two-persons --by --reason"},
                  {"release", "--by --reason"}},
      .examples = {{"vestige hold place --matter 'Doe v. Shop' -q 'table:orders actor:ann "
                    "since:2025-01-01' --by counsel --reason 'letter of 12 May'",
                    "keep what ann did to orders"},
                   {"vestige hold release 'Doe v. Shop' --by judge --reason settled", "let it go"}},
      .all_or_nothing = true,
      .run = run_hold};
}

}  // namespace vestige::cli
