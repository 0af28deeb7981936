// RuleEngine: rules over the changes of the feed. What it raises, and what it remembers, follows from the rules and from what it was
// given, in that order, and from nothing else: whoever goes the same way again finds the same alerts
// (docs/decisions/0026-rules.md). Tests: engine_test.cc, test/rules_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/base/zone.h"
#include "vestige/record/change.h"
#include "vestige/rules/alert.h"
#include "vestige/rules/health.h"
#include "vestige/rules/kept.h"
#include "vestige/rules/rule.h"

namespace vestige {

class Expressions;
class RuleWork;

/// What a rule costs.
struct RuleCost {
  std::uint64_t evaluations = 0;  // changes that it selected
  std::uint64_t matches = 0;      // whose condition held
  std::uint64_t alerts = 0;
  std::uint64_t errors = 0;
  std::int64_t nanoseconds = 0;  // where it is timed
};

/// What a rule remembers, in parts.
struct RuleParts {
  std::string rule;
  std::string hash;
  std::vector<StatePart> parts;
};

class RuleEngine {
 public:
  /// tables   of which rules with tag: and class: ask, by the names that changes carry
  /// timed    what rules cost is measured
  /// faults   invalid: a rule that cannot be, with its place
  static Result<std::unique_ptr<RuleEngine>> open(std::vector<Rule> rules,
                                                  std::map<std::string, TableFacts> tables,
                                                  bool timed = false);
  RuleEngine(const RuleEngine&) = delete;
  RuleEngine& operator=(const RuleEngine&) = delete;
  ~RuleEngine();

  /// The next change, and what it raises, in the order of the rules. A rule that fails raises an alert that says so.
  std::vector<Alert> see(const Change& change);
  /// Time goes on, and nothing comes: for rules that wait for something.
  std::vector<Alert> pass(std::int64_t now);

  /// What of the trail is in trouble now, for a rule of kind health, and where the feed is: raises what is new.
  std::vector<Alert> look(std::size_t rule, const std::vector<Trouble>& troubles,
                          std::int64_t index, std::int64_t now);

  /// Only changes behind an index are for the rule; those up to another are long over.
  void start(std::size_t rule, std::int64_t after);

  const std::vector<Rule>& rules() const { return rules_; }
  const std::string& hash(std::size_t rule) const;
  const RuleCost& cost(std::size_t rule) const;

  /// What a rule remembered; false: the part is none of its.
  bool load(std::size_t rule, std::string_view name, std::string_view text);
  /// What changed since it was asked last.
  std::vector<RuleParts> take();

 private:
  RuleEngine(std::vector<Rule> rules, std::map<std::string, TableFacts> tables, bool timed,
             TimeZone zone);
  const std::vector<RuleWork*>& of_table(const std::string& table);
  void inhibit(const Change& change, std::vector<Alert>& alerts) const;

  std::vector<Rule> rules_;
  std::map<std::string, TableFacts> tables_;
  bool timed_;
  TimeZone zone_;
  std::unique_ptr<Expressions> expressions_;  // ask for the zone
  std::vector<std::unique_ptr<RuleWork>> work_;
  std::vector<RuleWork*> waiting_;  // that ask for the time of every change
  std::map<std::string, std::vector<RuleWork*>, std::less<>> by_table_;
};

/// Refuses a rule that cannot be.
///
/// faults   invalid, with the place of what is wrong
Result<void> check_rules(const std::vector<Rule>& rules);

}  // namespace vestige
