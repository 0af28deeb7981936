// Watch: rules follow the feed. What they remember, what they raised and how far they are is written in one transaction, so that
// nothing is lost and nothing doubled, whenever it ends (docs/decisions/0026-rules.md). Tests: test/watch_test.cc,
// test/real/watch_kills.py.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vestige/feed/cursor.h"
#include "vestige/feed/follower.h"
#include "vestige/rules/alerts.h"
#include "vestige/rules/engine.h"

namespace vestige {

/// Whether a rule watches for verify-failed.
bool asks_to_verify(const std::vector<Rule>& rules);

class Watch {
 public:
  using Verifier = std::function<Result<std::string>()>;

  /// A rule that is new, or other than it was, begins behind what the others have seen.
  ///
  /// judge     says what the signatures of contexts are worth
  /// verifier  says what is wrong with the record, for rules that watch for verify-failed; "": nothing
  /// backfill  it begins with the first change; what it raises of those that are over is marked, and not delivered
  /// faults    as engine_for, Follower::open and Cursor::open; denied: this role may not keep alerts
  static Result<std::unique_ptr<Watch>> open(Database& db, std::vector<Rule> rules, bool backfill,
                                             std::shared_ptr<SignatureJudge> judge = nullptr,
                                             Verifier verifier = nullptr);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() = default;

  struct Turn {
    std::vector<KeptAlert> raised;  // they are kept
    bool more = false;              // there is more at once
    bool waits = false;             // the database is locked: what was seen is kept the next time
  };
  /// Some changes, and what they raise.
  ///
  /// now      for rules that wait for something
  /// faults   invalid: another watches
  Result<Turn> turn(std::int64_t now);

  Follower& follower() { return *follower_; }
  /// Rules that begin anew with this run.
  const std::vector<std::string>& begun() const { return begun_; }

 private:
  struct Start {
    std::int64_t after = -1;       // changes behind it are for the rule
    std::int64_t backfilled = -1;  // up to it they are long over
  };
  struct Answer {
    std::int64_t at = 0;  // when the record was verified last
    std::string found;
  };

  Watch(Database& db, std::unique_ptr<RuleEngine> engine) : db_(db), engine_(std::move(engine)) {}
  Result<void> load();
  Result<bool> load_part(std::size_t rule, const std::string& part, const std::string& text);
  bool load_answer(std::string_view text);
  Result<void> begin(bool backfill);
  Result<std::int64_t> end_of_feed();
  Result<bool> look(std::int64_t now);
  void say(const Alert& alert);
  void say_unreadable();
  void say_damaged(std::int64_t now);
  Result<void> look_at_trail(std::int64_t now);
  Result<std::string> verified(std::size_t rule, std::int64_t now);
  void keep_answer();
  Result<void> write(std::int64_t upto);
  Result<void> write_together(std::int64_t upto);
  Result<void> write_rest();
  std::size_t place_of_rule(const std::string& id) const;

  Database& db_;
  std::unique_ptr<RuleEngine> engine_;
  std::unique_ptr<Cursor> cursor_;
  std::unique_ptr<Follower> follower_;
  std::shared_ptr<SignatureJudge> judge_;
  std::vector<std::optional<Start>> starts_;  // by rule
  std::vector<std::string> begun_;
  Verifier verifier_;
  std::int64_t looked_ = 0;                   // at the trail itself: when last
  std::map<std::size_t, RuleParts> damaged_;  // by rule: what it remembers, and nobody can read
  std::optional<Answer> answer_;  // kept with the rules: who looks once an hour verifies no oftener
  // What was seen and is not written yet:
  std::set<std::pair<std::string, std::string>> obsolete_;  // rules and their hashes
  std::vector<KeptAlert> raised_;
  std::vector<RuleParts> parts_;
};

}  // namespace vestige
