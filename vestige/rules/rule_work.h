// A rule at work: its condition, its kind, and what keeps its alerts from being too many. For engine.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/rules/engine.h"
#include "vestige/rules/kind.h"
#include "vestige/rules/message.h"

namespace vestige {

class RuleWork {
 public:
  /// faults   invalid, with the place in the file
  static Result<std::unique_ptr<RuleWork>> make(const Rule& rule, Expressions& expressions,
                                                const TimeZone& zone);

  /// Whether changes of a table may be for it.
  bool is_about(const std::string& table) const;

  void see(Subject& subject, const std::map<std::string, TableFacts>& tables,
           std::vector<Alert>& out);
  void pass(std::int64_t at, std::vector<Alert>& out);
  void look(const std::vector<Trouble>& troubles, std::int64_t index, std::int64_t now,
            std::vector<Alert>& out);

  bool load(std::string_view name, std::string_view text);
  std::vector<StatePart> take();

  /// Its last alert is about a change, or about its transaction.
  bool has_told(const Change& change) const;

  const Rule& rule() const { return rule_; }
  const std::string& hash() const { return hash_; }

  RuleCost cost;
  std::int64_t after = -1;  // the index behind which changes are for it

 private:
  RuleWork(const Rule& rule, Message message)
      : rule_(rule), hash_(hash_of(rule)), message_(std::move(message)) {}
  Result<std::optional<Firing>> decide(Subject& subject, std::string& group);
  void raise(Subject& subject, const std::string& group, const Firing& firing,
             std::vector<Alert>& out);
  void fail_once(const Change& change, const std::string& why, std::vector<Alert>& out);
  Alert alert_of(std::string kind, std::string group, const Firing& firing) const;
  std::string group_text(Subject& subject) const;
  bool is_too_soon(const std::string& group, std::int64_t at);
  bool is_noisy(const Alert& alert, std::vector<Alert>& out);

  const Rule& rule_;
  std::string hash_;
  Message message_;
  std::optional<Expression> when_;
  std::vector<Reference> group_by_;
  std::unique_ptr<Kind> kind_;
  Kept<KeptNumbers<1>> raised_{'r'};    // by group: when last
  Kept<KeptNumbers<1>> failed_{'e'};    // by error: when last
  Kept<KeptText> recent_{'n'};          // the times of the last alerts
  Kept<KeptNumbers<1>> troubled_{'h'};  // by what is in trouble: since which index
  Kept<KeptNumbers<3>> last_{'l'};      // its last alert: first and last index, transaction
};

}  // namespace vestige
