#include "vestige/rules/rules_of.h"

#include "vestige/feed/follower.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

Result<void> resolve(Database& db, Rule& rule) {
  std::optional<Tracked> only;
  for (Condition& condition : rule.filter.conditions) {
    if (condition.field != "table") continue;
    for (FilterWord& word : condition.words) {
      if (!word.quoted && word.text.find('*') != std::string::npos) continue;
      Tracked table = TRY(tracked_table(db, word.text));
      word = {table.name, true};
      if (!condition.negated && condition.words.size() == 1) only = std::move(table);
    }
  }
  for (const Condition& condition : rule.filter.conditions) {
    if (!condition.name.empty() && condition.field != "context")
      TRY(require_column(db, condition.name, only));
    if (condition.field != "column") continue;
    for (const FilterWord& word : condition.words)
      if (word.quoted || word.text.find('*') == std::string::npos)
        TRY(require_column(db, word.text, only));
  }
  if (!rule.field.empty()) TRY(require_column(db, rule.field, only));
  return {};
}

}  // namespace

Result<std::unique_ptr<RuleEngine>> engine_for(Database& db, std::vector<Rule> rules, bool timed) {
  TRY(require_trail(db));
  for (Rule& rule : rules) {
    const auto resolved = resolve(db, rule);
    if (!resolved.has_value()) {
      const auto place = rule.places.find(rule.places.contains("select") ? "select" : "");
      return hinted(fail(resolved.error().fault, "read {}: rule '{}': {}",
                         place == rule.places.end() ? "rule" : place->second, rule.id,
                         resolved.error().message),
                    resolved.error().hint);
    }
  }
  std::map<std::string, TableFacts> tables;
  for (const Tracked& table : TRY(tracked_tables(db)))
    tables.try_emplace(table.name, TableFacts{table.policy.classification, table.policy.tags});
  return RuleEngine::open(std::move(rules), std::move(tables), timed);
}

Result<Tried> try_rules(Database& db, RuleEngine& engine, std::optional<std::int64_t> since,
                        const std::function<bool(const Alert&)>& told,
                        std::shared_ptr<SignatureJudge> judge) {
  Selection selection;
  selection.judge = std::move(judge);
  selection.since = since;
  const auto follower = TRY(Follower::open(db, selection, -1));
  Tried tried;
  while (const auto change = TRY(follower->next())) {
    ++tried.seen;
    for (const Alert& alert : engine.see(*change))
      if (!told(alert)) return tried;
  }
  tried.hindered = follower->hindered();
  return tried;
}

}  // namespace vestige
