// plan and apply: policies as code.
#include <algorithm>
#include <utility>

#include "cli/plan_file.h"
#include "cli/session.h"
#include "cli/undone.h"
#include "vestige/audit/plan.h"

namespace vestige::cli {
namespace {

std::string file(const Session& session) {
  return session.arguments().value("--file").value_or(plan_file());
}

Result<Database*> database(Session& session) {
  return session.arguments().value("--file").has_value() ? session.database(file(session), "")
                                                         : session.database();
}

void print(Output& output, const std::vector<PlanStep>& steps) {
  if (output.format() == Format::csv) output.csv({"action", "table", "text"});
  for (const PlanStep& step : steps) {
    const std::string table = step.table.empty() ? "null" : text_json(step.table);
    switch (output.format()) {
      case Format::json:
        output.json(fmt::format(R"({{"action":"{}","table":{},"text":{}}})", step.action, table,
                                text_json(step.text)));
        break;
      case Format::csv:
        output.csv(
            {step.action, step.table.empty() ? "" : csv_text(step.table), csv_text(step.text)});
        break;
      case Format::table:
        output.line({{step.action == "untrack" ? Label::remove : Label::after, step.text}});
        break;
    }
  }
}

// Prints what is done, or would be; says what is left as it is. Returns whether anything is done.
bool report(Session& session, const std::vector<PlanStep>& steps) {
  std::vector<PlanStep> done;
  bool left = false;
  for (const PlanStep& step : steps)
    if (step.acts() && !step.undone.has_value()) done.push_back(step);
  print(session.output(), done);
  for (const PlanStep& step : steps) {
    if (step.action == "warn") session.say("note: " + step.text);
    if (step.action != "leave") continue;
    session.say("note: " + step.text +
                (std::exchange(left, true) ? "" : "; left as it is: --prune is for that"));
  }
  return !done.empty();
}

Result<int> run_plan(Session& session) {
  Plan wanted = TRY(read_plan(file(session)));
  wanted.prune = session.arguments().has("--prune");
  Database& db = *TRY(database(session));
  if (report(session, TRY(plan(db, wanted)))) return kNo;
  session.say(fmt::format("{} is as planned", db.where()));
  return kDone;
}

Result<int> run_apply(Session& session) {
  Plan wanted = TRY(read_plan(file(session)));
  wanted.prune = session.arguments().has("--prune");
  const std::string patience = TRY(lock_timeout(session.arguments()));
  Database& db = *TRY(database(session));
  const auto steps = TRY(apply(db, wanted, patience,
                               [&](std::size_t done, std::size_t of) { session.step(done, of); }));
  std::vector<Undone> undone;
  for (std::size_t place = 0; place < steps.size(); ++place)
    if (steps[place].undone.has_value()) undone.push_back({place, *steps[place].undone});
  if (!report(session, steps) && undone.empty())
    session.say(fmt::format("{} is as planned; nothing to do", db.where()));
  const auto tables = std::count_if(steps.begin(), steps.end(), [](const PlanStep& step) {
    return step.acts() && !step.table.empty();
  });
  TRY(left_undone(session, "apply", undone, static_cast<std::size_t>(tables)));
  return kDone;
}

std::vector<Option> options() {
  return {{.names = "-f, --file",
           .value = "FILE",
           .summary = "the plan; otherwise vestige.toml, here or in a folder above"},
          {.names = "--prune",
           .value = "",
           .summary =
               "untrack tables that the plan does not name, remove periods that it does not give"},
          format_option()};
}

std::vector<Option> apply_options() {
  std::vector<Option> all = options();
  all.insert(all.end() - 1, lock_timeout_option());
  return all;
}

}  // namespace

Command plan_command() {
  return {.name = "plan",
          .group = "set up",
          .summary = "show how the database differs from vestige.toml, without changing it",
          .about = {"Exit 0 when the database is as planned, 1 when there is a difference."},
          .options = options(),
          .examples = {{"vestige plan", "what would apply do?"}},
          .run = run_plan};
}

Command apply_command() {
  return {
      .name = "apply",
      .group = "set up",
      .summary = "bring the database in line with vestige.toml",
      .about =
          {"Does what `vestige plan` shows, and prints what it did: on SQLite in one transaction, "
           "on PostgreSQL each table in its own, as with track. Tables that the plan does not name "
           "stay as they are, unless --prune is given: then they "
           "are untracked, and their history stays."},
      .options = apply_options(),
      .examples = {{"vestige apply -f policies/shop.toml", "put a plan into force"}},
      .all_or_nothing = true,
      .run = run_apply};
}

}  // namespace vestige::cli
