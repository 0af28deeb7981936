// Rules as a database has them: the tables and columns that they name under the names that its changes carry; and what they would
// have raised. Test: test/rules_test.cc.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/rules/engine.h"
#include "vestige/trail/judge.h"

namespace vestige {

/// An engine for rules about a database's tables.
///
/// faults   invalid, missing: a table that was never tracked, a column that it never had, with the rule's place
Result<std::unique_ptr<RuleEngine>> engine_for(Database& db, std::vector<Rule> rules,
                                               bool timed = false);

struct Tried {
  std::uint64_t seen = 0;         // changes that were looked at
  std::optional<Error> hindered;  // why those that have no place yet were not
};

/// What rules raise of the changes that there are, in the order of the feed; those that have no place in it yet get theirs, where
/// this role may give it. Nothing is kept of it.
///
/// since    microseconds: changes before it are not looked at
/// judge    says what the signatures of contexts are worth; nullptr: no rule asks
/// told     false: that is enough
/// faults   as Follower::open
Result<Tried> try_rules(Database& db, RuleEngine& engine, std::optional<std::int64_t> since,
                        const std::function<bool(const Alert&)>& told,
                        std::shared_ptr<SignatureJudge> judge = nullptr);

}  // namespace vestige
