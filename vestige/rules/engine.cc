#include "vestige/rules/engine.h"

#include <algorithm>
#include <chrono>

#include "vestige/db/sqlite_expressions.h"
#include "vestige/rules/numbers.h"
#include "vestige/rules/rule_work.h"

namespace vestige {
namespace {

std::int64_t ticks() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

RuleEngine::RuleEngine(std::vector<Rule> rules, std::map<std::string, TableFacts> tables,
                       bool timed, TimeZone zone)
    : rules_(std::move(rules)), tables_(std::move(tables)), timed_(timed), zone_(std::move(zone)) {}
RuleEngine::~RuleEngine() = default;

Result<std::unique_ptr<RuleEngine>> RuleEngine::open(std::vector<Rule> rules,
                                                     std::map<std::string, TableFacts> tables,
                                                     bool timed) {
  TimeZone zone = TRY(TimeZone::named(rules.empty() ? "UTC" : rules.front().zone));
  std::unique_ptr<RuleEngine> engine(
      new RuleEngine(std::move(rules), std::move(tables), timed, std::move(zone)));
  engine->expressions_ = TRY(Expressions::open(subject_names(), rule_functions(engine->zone_)));
  for (const Rule& rule : engine->rules_) {
    engine->work_.push_back(TRY(RuleWork::make(rule, *engine->expressions_, engine->zone_)));
    if (rule.kind == RuleKind::silent) engine->waiting_.push_back(engine->work_.back().get());
  }
  return engine;
}

// Most rules are about one table: those of others are not asked.
const std::vector<RuleWork*>& RuleEngine::of_table(const std::string& table) {
  const auto found = by_table_.find(table);
  if (found != by_table_.end()) return found->second;
  std::vector<RuleWork*>& all = by_table_[table];
  for (const auto& work : work_)
    if (work->is_about(table)) all.push_back(work.get());
  return all;
}

std::vector<Alert> RuleEngine::see(const Change& change) {
  std::vector<Alert> alerts = pass(change.at);
  const auto facts = tables_.find(change.table);
  Subject subject(change, facts == tables_.end() ? nullptr : &facts->second);
  for (RuleWork* work : of_table(change.table)) {
    const std::int64_t begun = timed_ ? ticks() : 0;
    work->see(subject, tables_, alerts);
    if (timed_) work->cost.nanoseconds += ticks() - begun;
  }
  if (!alerts.empty()) inhibit(change, alerts);
  return alerts;
}

std::vector<Alert> RuleEngine::pass(std::int64_t now) {
  std::vector<Alert> alerts;
  for (RuleWork* work : waiting_) work->pass(now, alerts);
  return alerts;
}

// What another rule told of the same changes makes some alerts needless: they are recorded and not delivered.
void RuleEngine::inhibit(const Change& change, std::vector<Alert>& alerts) const {
  for (Alert& alert : alerts)
    for (const auto& work : work_) {
      if (work->rule().id != alert.rule) continue;
      const auto& by = work->rule().inhibit;
      for (const auto& other : work_)
        if (std::find(by.begin(), by.end(), other->rule().id) != by.end() &&
            other->has_told(change))
          alert.quiet = true;
    }
}

std::vector<Alert> RuleEngine::look(std::size_t rule, const std::vector<Trouble>& troubles,
                                    std::int64_t index, std::int64_t now) {
  std::vector<Alert> alerts;
  work_[rule]->look(troubles, index, now, alerts);
  return alerts;
}

void RuleEngine::start(std::size_t rule, std::int64_t after) { work_[rule]->after = after; }

const std::string& RuleEngine::hash(std::size_t rule) const { return work_[rule]->hash(); }

const RuleCost& RuleEngine::cost(std::size_t rule) const { return work_[rule]->cost; }

bool RuleEngine::load(std::size_t rule, std::string_view name, std::string_view text) {
  return work_[rule]->load(name, text);
}

std::vector<RuleParts> RuleEngine::take() {
  std::vector<RuleParts> out;
  for (const auto& work : work_)
    if (auto parts = work->take(); !parts.empty())
      out.push_back({work->rule().id, work->hash(), std::move(parts)});
  return out;
}

Result<void> check_rules(const std::vector<Rule>& rules) {
  TRY(RuleEngine::open(rules, {}));
  return {};
}

}  // namespace vestige
