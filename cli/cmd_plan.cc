// plan and apply: policies as code.
#include "cli/plan_file.h"
#include "cli/session.h"
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

Result<int> run_plan(Session& session) {
  const Plan wanted = TRY(read_plan(file(session)));
  Database& db = *TRY(database(session));
  const std::vector<PlanStep> steps = TRY(plan(db, wanted));
  print(session.output(), steps);
  if (steps.empty()) session.say(fmt::format("{} is as planned", db.where()));
  return steps.empty() ? kDone : kNo;
}

Result<int> run_apply(Session& session) {
  const Plan wanted = TRY(read_plan(file(session)));
  Database& db = *TRY(database(session));
  const std::vector<PlanStep> steps = TRY(apply(db, wanted));
  print(session.output(), steps);
  if (steps.empty()) session.say(fmt::format("{} is as planned; nothing to do", db.where()));
  return kDone;
}

std::vector<Option> options() {
  return {{.names = "-f, --file",
           .value = "FILE",
           .summary = "the plan; otherwise vestige.toml, here or in a folder above"},
          format_option()};
}

}  // namespace

Command plan_command() {
  return {.name = "plan",
          .group = "set up",
          .summary = "show how the database differs from vestige.toml; change nothing",
          .about = {"Exit 0 when the database is as planned, 1 when there is a difference."},
          .options = options(),
          .examples = {{"vestige plan", "what would apply do?"}},
          .run = run_plan};
}

Command apply_command() {
  return {.name = "apply",
          .group = "set up",
          .summary = "make the database as vestige.toml says",
          .about =
              {"Does what `vestige plan` shows, in one transaction, and prints what it did. Tables "
               "that the plan does not name are untracked; their history stays."},
          .options = options(),
          .examples = {{"vestige apply -f policies/shop.toml", "put a plan into force"}},
          .all_or_nothing = true,
          .run = run_apply};
}

}  // namespace vestige::cli
