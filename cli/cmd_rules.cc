// rules: what is to be told of, and what would have been.
#include <algorithm>

#include "cli/plan_file.h"
#include "cli/rules.h"
#include "cli/session.h"
#include "cli/signers.h"
#include "cli/table.h"
#include "vestige/base/time.h"
#include "vestige/rules/rule_file.h"
#include "vestige/rules/rules_of.h"

namespace vestige::cli {

Result<std::vector<Rule>> rules_here(const Session& session) {
  const std::string file = session.arguments().value("--file").value_or(plan_file());
  auto rules = TRY(read_rules(TRY(read_toml(file)), folder_of(file)));
  if (rules.empty())
    return hinted(fail(Fault::missing, "read {}: there are no rules in it", file),
                  "write a [[rule]]: docs/rules.md has some to begin with");
  return rules;
}

Result<Database*> rules_database(Session& session) {
  const auto file = session.arguments().value("--file");
  return file.has_value() ? session.database(*file, "") : session.database();
}

Result<std::shared_ptr<SignatureJudge>> judge_for(const Session& session, Database& db,
                                                  const std::vector<Rule>& rules) {
  if (std::none_of(rules.begin(), rules.end(), [](const Rule& one) { return asks_signed(one); }))
    return std::shared_ptr<SignatureJudge>();
  return planned_judge(db, session.arguments().value("--file"));
}

std::string said_hindrance(Session& session, const Error& why) {
  if (why.fault != Fault::denied) return why.message;
  return fmt::format("what others put in order is seen; this role may not do so: {}",
                     session.explained(why).message);
}

Label label_of(const std::string& severity) {
  if (severity == "critical" || severity == "high") return Label::bad;
  return severity == "medium" ? Label::warning : Label::plain;
}

namespace {

std::string rule_json(const Rule& rule) {
  return fmt::format(
      R"({{"rule":{},"kind":"{}","severity":"{}","select":{},"when":{},"hash":"{}","place":{}}})",
      text_json(rule.id), name(rule.kind), rule.severity, text_json(rule.select),
      rule.when.empty() ? "null" : text_json(rule.when), hash_of(rule),
      text_json(rule.places.at("")));
}

Result<int> list_rules(Session& session) {
  const auto rules = TRY(rules_here(session));
  Output& output = session.output();
  if (session.format() == Format::json) {
    for (const Rule& rule : rules) output.json(rule_json(rule));
    return kDone;
  }
  if (session.format() == Format::csv) {
    output.csv({"rule", "kind", "severity", "select", "when", "hash"});
    for (const Rule& rule : rules)
      output.csv({csv_text(rule.id), std::string(name(rule.kind)), rule.severity,
                  csv_text(rule.select), csv_text(rule.when), hash_of(rule)});
    return kDone;
  }
  Table table(output, {{.name = "rule", .elastic = true, .dear = true},
                       {.name = "kind"},
                       {.name = "severity"},
                       {.name = "select", .elastic = true},
                       {.name = "when", .elastic = true}});
  for (const Rule& rule : rules)
    table.row({{Label::name, rule.id},
               {Label::plain, std::string(name(rule.kind))},
               {label_of(rule.severity), rule.severity},
               {Label::plain, rule.select},
               {Label::plain, rule.when}});
  return kDone;
}

std::string cost_json(const Rule& rule, const RuleCost& cost, bool timed) {
  return fmt::format(
      R"({{"code":"rule","rule":{},"evaluations":{},"matches":{},"alerts":{},"errors":{}{}}})",
      text_json(rule.id), cost.evaluations, cost.matches, cost.alerts, cost.errors,
      timed ? fmt::format(R"(,"cpu_us":{})", cost.nanoseconds / 1000) : "");
}

std::vector<std::string> cost_cells(const RuleCost& cost, bool timed) {
  std::vector<std::string> cells = {std::to_string(cost.evaluations), std::to_string(cost.matches),
                                    std::to_string(cost.alerts), std::to_string(cost.errors)};
  if (timed) cells.push_back(fmt::format("{:.1f}", static_cast<double>(cost.nanoseconds) / 1e6));
  return cells;
}

void print_costs(Session& session, const RuleEngine& engine, bool timed) {
  Output& output = session.output();
  std::vector<Heading> headings = {{.name = "rule", .elastic = true, .dear = true},
                                   {.name = "evaluations", .right = true},
                                   {.name = "matches", .right = true},
                                   {.name = "alerts", .right = true},
                                   {.name = "errors", .right = true}};
  if (timed) headings.push_back({.name = "CPU (ms)", .right = true});
  if (session.format() == Format::json) {
    for (std::size_t i = 0; i < engine.rules().size(); ++i)
      output.json(cost_json(engine.rules()[i], engine.cost(i), timed));
    return;
  }
  output.line({{Label::plain, ""}});
  Table table(output, std::move(headings));
  for (std::size_t i = 0; i < engine.rules().size(); ++i) {
    std::vector<Piece> row = {{Label::name, engine.rules()[i].id}};
    for (std::string& cell : cost_cells(engine.cost(i), timed))
      row.push_back({Label::plain, std::move(cell)});
    table.row(std::move(row));
  }
}

// Alerts as they are raised.
class AlertPrinter {
 public:
  explicit AlertPrinter(Session& session);
  void print(const Alert& alert);
  void end();

 private:
  Session& session_;
  std::optional<Table> table_;
};

AlertPrinter::AlertPrinter(Session& session) : session_(session) {
  Output& output = session.output();
  if (session.format() == Format::csv)
    output.csv({"id", "at", "severity", "rule", "kind", "group", "title", "first_index",
                "last_index", "quiet"});
  if (session.format() != Format::table) return;
  table_.emplace(output, std::vector<Heading>{{.name = time_heading("time")},
                                              {.name = "severity"},
                                              {.name = "rule", .elastic = true},
                                              {.name = "alert"},
                                              {.name = "what", .elastic = true, .dear = true}});
}

void AlertPrinter::print(const Alert& alert) {
  Output& output = session_.output();
  switch (session_.format()) {
    case Format::json: output.json(R"({"code":"alert",)" + to_json(alert).substr(1)); break;
    case Format::csv:
      output.csv({alert.id, format_time(alert.at), alert.severity, csv_text(alert.rule), alert.kind,
                  csv_text(alert.group), csv_text(alert.title), std::to_string(alert.first_index),
                  std::to_string(alert.last_index), alert.quiet ? "true" : "false"});
      break;
    case Format::table:
      table_->row({{Label::time, time_cell(output, alert.at)},
                   {label_of(alert.severity), alert.severity},
                   {Label::name, alert.rule},
                   {Label::id, alert.id},
                   {Label::plain, alert.title}});
      break;
  }
}

void AlertPrinter::end() {
  if (table_.has_value()) table_->end();
}

Result<int> test_rules(Session& session) {
  const Arguments& arguments = session.arguments();
  const bool timed = arguments.has("--cost");
  const auto since = TRY(arguments.time("--since"));
  auto rules = TRY(rules_here(session));
  Database& db = *TRY(rules_database(session));
  const auto engine = TRY(engine_for(db, std::move(rules), timed));
  const auto judge = TRY(judge_for(session, db, engine->rules()));
  AlertPrinter printer(session);
  std::uint64_t alerts = 0;
  const Tried tried = TRY(try_rules(
      db, *engine, since,
      [&](const Alert& alert) {
        ++alerts;
        printer.print(alert);
        return session.output().wanted();
      },
      judge));
  printer.end();
  if (tried.hindered.has_value()) session.say(said_hindrance(session, *tried.hindered));
  if (session.format() != Format::csv) print_costs(session, *engine, timed);
  session.say(fmt::format("{} would have raised {} of {}", counted(engine->rules().size(), "rule"),
                          counted(alerts, "alert"), counted(tried.seen, "change")));
  return kDone;
}

Result<int> run_rules(Session& session) {
  const auto& words = session.arguments().words();
  if (words.front() == "test") return test_rules(session);
  if (words.front() == "list") return list_rules(session);
  return hinted(fail(Fault::invalid, "rules: '{}' is nothing that can be done", words.front()),
                "vestige rules test, vestige rules list");
}

}  // namespace

Command rules_command() {
  return {
      .name = "rules",
      .group = "watch",
      .summary = "what is to be told of, and what would have been",
      .arguments = "test | list",
      .least = 1,
      .most = 1,
      .about =
          {"Rules stand in vestige.toml, each a [[rule]]: which changes it selects, in the words "
           "of log -q, which of them meet its condition, an expression over `old` and `new`, and "
           "what it makes of them: how many within a time, how many rows in a transaction, a value "
           "that never was before (docs/rules.md).",
           "`rules test` goes over the changes that there are and prints what would have been "
           "raised, with the ids that vestige watch gives, and how often each rule was asked; "
           "nothing is kept of it. `rules list` prints the rules."},
      .options = {{.names = "--since", .value = "TIME", .summary = "only changes from then on"},
                  {.names = "--cost", .value = "", .summary = "measure the time that rules take"},
                  {.names = "-f, --file",
                   .value = "FILE",
                   .summary = "otherwise vestige.toml, here or in a folder above"},
                  format_option()},
      .actions = {{"test", "--since --cost"}, {"list", ""}},
      .examples = {{"vestige rules test --since 30d", "what would they have raised?"},
                   {"vestige rules test --cost", "and what does each of them cost?"}},
      .run = run_rules,
  };
}

}  // namespace vestige::cli
