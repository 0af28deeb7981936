// What rules make of changes, by hand: every kind, and that it is all the same where it stops and goes on.
#include "vestige/rules/engine.h"

#include <random>

#include "test/tracked_shop.h"
#include "vestige/base/time.h"

namespace vestige {
namespace {

constexpr std::int64_t kMinute = 60'000'000;

Rule rule_of(RuleKind kind, const std::string& id = "r") {
  Rule rule;
  rule.id = id;
  rule.kind = kind;
  rule.places[""] = "vestige.toml:1:1";
  return rule;
}

// An UPDATE of a balance, by somebody, at a minute.
Change change_of(std::int64_t index, std::int64_t minute, std::int64_t key = 1,
                 std::int64_t before = 0, std::int64_t after = 1) {
  Change change;
  change.index = static_cast<std::uint64_t>(index);
  change.id = index + 1;
  change.tx = change.id;
  change.at = must(read_time("2026-01-01T00:00:00.000000Z")) + minute * kMinute;
  change.op = Op::update;
  change.table = "accounts";
  change.key = {{"id", key}};
  change.old_values = Row{{"balance", before}};
  change.new_values = Row{{"balance", after}};
  change.context.set("actor", "ann");
  return change;
}

class EngineTest : public testing::Test {
 protected:
  void with(std::vector<Rule> rules) { engine = must(RuleEngine::open(std::move(rules), {})); }
  // "r 0-5", of each alert.
  std::string see(const Change& change) { return shown(engine->see(change)); }
  static std::string shown(const std::vector<Alert>& alerts) {
    std::string out;
    for (const Alert& alert : alerts) {
      out += (out.empty() ? "" : " ") + alert.rule;
      if (alert.kind == "noisy") out += "!";
      out += fmt::format(" {}-{}", alert.first_index, alert.last_index);
      if (alert.quiet) out += " quiet";
    }
    return out;
  }
  std::unique_ptr<RuleEngine> engine;
};
using RulesByHand = EngineTest;

TEST_F(RulesByHand, FrequencySlidesByTheTimesOfTheChanges) {
  Rule rule = rule_of(RuleKind::frequency);
  rule.group_by = {"key"};
  rule.count = 3;
  rule.within = 60 * kMinute;
  with({rule});
  EXPECT_EQ(see(change_of(0, 0)), "");
  EXPECT_EQ(see(change_of(1, 10, 2)), "") << "another group";
  EXPECT_EQ(see(change_of(2, 59)), "");
  EXPECT_EQ(see(change_of(3, 60)), "") << "an hour after the first";
  EXPECT_EQ(see(change_of(4, 61)), "r 2-4");
  EXPECT_EQ(see(change_of(5, 62)), "") << "what was told of counts no more";
  EXPECT_EQ(see(change_of(6, 20, 2)), "");
  EXPECT_EQ(see(change_of(7, 5, 2)), "r 1-7") << "committed late, it counts where its time is";
}

TEST_F(RulesByHand, SumAndDistinct) {
  Rule sum = rule_of(RuleKind::sum, "sum");
  sum.value = "abs(new.balance - old.balance)";
  sum.above = "100";
  sum.within = 60 * kMinute;
  sum.message = "{sum} in {count}";
  Rule distinct = rule_of(RuleKind::distinct, "distinct");
  distinct.of = {"key"};
  distinct.count = 3;
  distinct.within = 60 * kMinute;
  with({sum, distinct});
  EXPECT_EQ(see(change_of(0, 0, 1, 0, 60)), "");
  EXPECT_EQ(see(change_of(1, 1, 1, 60, 20)), "") << "100 is not more than 100";
  const auto alerts = engine->see(change_of(2, 2, 2, 0, 1));
  EXPECT_EQ(shown(alerts), "sum 0-2");
  EXPECT_EQ(alerts[0].title, "101 in 3");
  EXPECT_EQ(see(change_of(3, 61, 3)), "") << "of the first the latest counts, and it is over";
  EXPECT_EQ(see(change_of(4, 61, 1)), "distinct 2-4");
}

TEST_F(RulesByHand, BulkIsToldOfOnceInATransaction) {
  Rule rule = rule_of(RuleKind::bulk);
  rule.rows = 3;
  with({rule});
  std::string all;
  for (std::int64_t i = 0; i < 10; ++i) {
    Change change = change_of(i, 0, i);
    change.tx = i < 8 ? 1 : 9;
    all += see(change);
  }
  EXPECT_EQ(all, "r 0-2");
}

TEST_F(RulesByHand, NewIsWhatNeverWasOnceLearningIsOver) {
  Rule rule = rule_of(RuleKind::newcomer);
  rule.of = {"actor"};
  rule.by = {"table"};
  rule.learn = 60 * kMinute;
  with({rule});
  const auto by = [](std::int64_t index, std::int64_t minute, const std::string& who,
                     const std::string& table = "accounts") {
    Change change = change_of(index, minute);
    change.context.set("actor", who);
    change.table = table;
    return change;
  };
  EXPECT_EQ(see(by(0, 0, "ann")), "");
  EXPECT_EQ(see(by(1, 59, "bob")), "");
  EXPECT_EQ(see(by(2, 60, "bob")), "");
  EXPECT_EQ(see(by(3, 61, "eve")), "r 3-3");
  EXPECT_EQ(see(by(4, 62, "eve")), "");
  EXPECT_EQ(see(by(5, 63, "eve", "orders")), "r 5-5");
}

TEST_F(RulesByHand, ContinuityIsWhatTheLastChangeLeft) {
  Rule rule = rule_of(RuleKind::continuity);
  rule.field = "balance";
  with({rule});
  EXPECT_EQ(see(change_of(0, 0, 1, 0, 10)), "") << "nothing was known";
  EXPECT_EQ(see(change_of(1, 1, 1, 10, 20)), "");
  EXPECT_EQ(see(change_of(2, 2, 1, 21, 30)), "r 2-2");
  EXPECT_EQ(see(change_of(3, 3, 1, 30, 40)), "");
  Change moved = change_of(4, 4, 1, 40, 50);
  moved.new_key = Row{{"id", std::int64_t{9}}};
  EXPECT_EQ(see(moved), "");
  EXPECT_EQ(see(change_of(5, 5, 1, 7, 8)), "") << "another row under the key that was";
  EXPECT_EQ(see(change_of(6, 6, 9, 50, 60)), "");
  Change gone = change_of(7, 7, 9, 61, 0);
  gone.op = Op::remove;
  gone.new_values.reset();
  EXPECT_EQ(see(gone), "r 7-7");
  Change emptied = change_of(8, 8);
  emptied.op = Op::truncate;
  emptied.key.clear();
  emptied.old_values.reset();
  emptied.new_values.reset();
  EXPECT_EQ(see(emptied), "");
  EXPECT_EQ(see(change_of(9, 9, 1, 1000, 1)), "") << "nothing is known any more";
  Change numeric = change_of(10, 10, 1, 1, 2);
  numeric.old_values = Row{{"balance", Token{"1.00"}}};
  EXPECT_EQ(see(numeric), "") << "the same number";
}

TEST_F(RulesByHand, OfWhatComesTogetherItIsSaidOfWhatAndOfWhom) {
  Rule rule = rule_of(RuleKind::distinct);
  rule.of = {"key", "new.{x}"};
  rule.count = 2;
  rule.within = 90 * kMinute;
  const auto title = [&] {
    with({rule});
    engine->see(change_of(0, 0, 1));
    return engine->see(change_of(1, 1, 2)).at(0).title;
  };
  EXPECT_EQ(title(), "accounts: 2 different key, new.{x} within 90m");
  rule.group_by = {"who", "table"};
  rule.within = 2 * 24 * 60 * kMinute;
  EXPECT_EQ(title(), "accounts: 2 different key, new.{x} within 2d of who ann, table accounts");
  rule.message = "{group}!";
  EXPECT_EQ(title(), "who ann, table accounts!");
}

TEST_F(RulesByHand, OfWhatIsNewItIsSaidWhat) {
  Rule rule = rule_of(RuleKind::newcomer);
  rule.of = {"new.balance", "key"};
  with({rule});
  EXPECT_EQ(engine->see(change_of(0, 0, 1, 0, 7)).at(0).title,
            "accounts: never seen before: new.balance 7, key 1, by ann");
}

TEST_F(RulesByHand, MissingAndOffHours) {
  Rule missing = rule_of(RuleKind::missing, "missing");
  missing.require = {"actor", "reason"};
  missing.message = "without {missing}";
  Rule hours = rule_of(RuleKind::off_hours, "hours");
  hours.zone = missing.zone = "America/New_York";
  hours.hours = "Mon-Fri 07:00-19:00";
  with({missing, hours});
  Change change = change_of(0, 13 * 60);  // Thursday, 08:00 there
  EXPECT_EQ(shown(engine->see(change)), "missing 0-0");
  change.context.set("reason", "sale");
  EXPECT_EQ(see(change), "");
  change.at -= 2 * 60 * kMinute;
  const auto early = engine->see(change);
  EXPECT_EQ(shown(early), "hours 0-0");
  EXPECT_EQ(
      early.at(0).title,
      "UPDATE of accounts 1 by ann at 2026-01-01 06:00 America/New_York, outside of the hours")
      << "on the clock of the place";
}

TEST_F(RulesByHand, SilenceIsFoundByTheNextChangeOrByAClock) {
  Rule rule = rule_of(RuleKind::silent);
  rule.filter = must(parse_filter("op:delete", Now(0)));
  rule.within = 60 * kMinute;
  with({rule});
  EXPECT_EQ(see(change_of(0, 0)), "") << "it waits for the first";
  Change backup = change_of(1, 10);
  backup.op = Op::remove;
  EXPECT_EQ(see(backup), "");
  EXPECT_EQ(see(change_of(2, 70)), "");
  Change other = change_of(3, 71);
  other.table = "orders";
  const auto told = engine->see(other);
  EXPECT_EQ(shown(told), "r 1-1") << "by a change of any table";
  EXPECT_EQ(see(change_of(4, 200)), "") << "once";
  with({rule});
  see(backup);
  const auto by_clock = engine->pass(other.at + kMinute);
  ASSERT_EQ(by_clock.size(), 1U);
  EXPECT_EQ(by_clock[0].id, told[0].id);
  EXPECT_EQ(by_clock[0].at, told[0].at);
}

TEST_F(RulesByHand, TheSameGroupIsQuietForAWhile) {
  Rule rule = rule_of(RuleKind::match);
  rule.group_by = {"key"};
  rule.realert = 60 * kMinute;
  with({rule});
  EXPECT_EQ(see(change_of(0, 0)), "r 0-0");
  EXPECT_EQ(see(change_of(1, 59)), "");
  EXPECT_EQ(see(change_of(2, 59, 2)), "r 2-2");
  EXPECT_EQ(see(change_of(3, 60)), "r 3-3");
}

TEST_F(RulesByHand, AFloodIsOneNotice) {
  with({rule_of(RuleKind::match)});
  std::string quiet, notices;
  for (std::int64_t i = 0; i < 120; ++i) {
    const std::string told = see(change_of(i, i));
    if (told.find("quiet") != std::string::npos) quiet += quiet.empty() ? told : "";
    if (told.find('!') != std::string::npos) notices += told;
  }
  EXPECT_EQ(quiet, "r 50-50 quiet r! 50-50");
  EXPECT_EQ(notices, quiet) << "one, and each alert is still there";
  EXPECT_EQ(engine->cost(0).alerts, 120U);
  EXPECT_EQ(see(change_of(120, 120 + 3 * 24 * 60)), "r 120-120") << "it is over";
}

TEST_F(RulesByHand, WhatAnotherRuleToldOfNeedsNoNotice) {
  Rule bulk = rule_of(RuleKind::bulk, "bulk");
  bulk.rows = 2;
  Rule match = rule_of(RuleKind::match, "match");
  match.inhibit = {"bulk"};
  with({match, bulk});
  const auto in_tx = [](std::int64_t index, std::int64_t tx) {
    Change change = change_of(index, 0, index);
    change.tx = tx;
    return change;
  };
  EXPECT_EQ(see(in_tx(0, 1)), "match 0-0");
  EXPECT_EQ(see(in_tx(1, 1)), "match 1-1 quiet bulk 0-1");
  EXPECT_EQ(see(in_tx(2, 1)), "match 2-2 quiet");
  EXPECT_EQ(see(in_tx(3, 9)), "match 3-3");
}

// Wherever it stops, and whatever it is when it goes on: the same alerts, by their ids.
TEST_F(RulesByHand, WhatIsRememberedIsAllThereIsToIt) {
  const auto rules = [] {
    std::vector<Rule> all = {rule_of(RuleKind::match, "match"),
                             rule_of(RuleKind::frequency, "frequency"),
                             rule_of(RuleKind::sum, "sum"),
                             rule_of(RuleKind::distinct, "distinct"),
                             rule_of(RuleKind::bulk, "bulk"),
                             rule_of(RuleKind::newcomer, "new"),
                             rule_of(RuleKind::continuity, "continuity"),
                             rule_of(RuleKind::silent, "silent")};
    all[0].when =
        "case when actor = '{' then json_extract(actor, '$.a') end is null and new.balance % 7 = 0";
    all[0].realert = 20 * kMinute;
    all[1].group_by = {"key"};
    all[1].count = 4;
    all[2].value = "new.balance";
    all[2].above = "200";
    all[3].of = {"key"};
    all[3].count = 6;
    all[4].rows = 5;
    all[5].of = {"key", "actor"};
    all[5].learn = 30 * kMinute;
    all[6].field = "balance";
    all[7].filter = must(parse_filter("key:3 new.balance<3", Now(0)));
    for (const std::size_t i : {1, 2, 3, 7}) all[i].within = 40 * kMinute;
    return all;
  };
  std::mt19937 random(20261130);
  std::vector<Change> changes;
  std::int64_t minute = 0;
  for (std::int64_t i = 0; i < 3000; ++i) {
    minute += static_cast<std::int64_t>(random() % 5) - (random() % 20 == 0 ? 30 : 0);
    changes.push_back(change_of(i, minute, static_cast<std::int64_t>(random() % 12),
                                static_cast<std::int64_t>(random() % 3),
                                static_cast<std::int64_t>(random() % 40)));
    changes.back().tx = 1 + i / static_cast<std::int64_t>(1 + random() % 9);
    changes.back().context.set("actor", random() % 50 == 0 ? "{" : "ann");
  }
  const auto run = [&](unsigned stops) {
    std::vector<std::string> ids;
    std::map<std::string, std::map<std::string, std::string>> kept;
    with(rules());
    for (const Change& change : changes) {
      for (const Alert& alert : engine->see(change)) ids.push_back(alert.id + alert.title);
      if (stops == 0 || random() % stops != 0) continue;
      for (const RuleParts& of : engine->take())
        for (const StatePart& part : of.parts) {
          if (part.text.has_value()) kept[of.rule][part.name] = *part.text;
          else kept[of.rule].erase(part.name);
        }
      with(rules());
      for (std::size_t i = 0; i < engine->rules().size(); ++i)
        for (const auto& [name, text] : kept[engine->rules()[i].id])
          EXPECT_TRUE(engine->load(i, name, text)) << name << " " << text;
    }
    return ids;
  };
  const auto whole = run(0);
  EXPECT_GT(whole.size(), 500U);
  EXPECT_EQ(run(3), whole);
  EXPECT_EQ(run(100), whole);
}

}  // namespace
}  // namespace vestige
