// Watch on both databases: what is raised is kept once, however it is stopped, and stands in the trail.
#include "vestige/rules/watch.h"

#include <map>

#include "test/evidence.h"
#include "vestige/base/time.h"
#include "vestige/rules/outbox.h"
#include "vestige/trail/kept_table.h"

namespace vestige {
namespace {

Rule rule_of(const std::string& id, RuleKind kind = RuleKind::match) {
  Rule rule;
  rule.id = id;
  rule.kind = kind;
  rule.places[""] = "vestige.toml:1:1";
  rule.select = "table:p op:update";
  rule.filter = must(parse_filter(rule.select, Now(0)));
  rule.message = "{key}: {new.price}";
  return rule;
}

class WatchTest : public EvidenceTest {
 protected:
  // Until there is no more.
  std::string see(Watch& watch) {
    std::string out;
    for (;;) {
      const Watch::Turn turn = must(watch.turn(clock_now()));
      for (const KeptAlert& kept : turn.raised)
        out +=
            kept.alert.rule + " " + kept.alert.title + (kept.backfilled ? " backfilled\n" : "\n");
      if (!turn.more) return out;
    }
  }
  std::string watched(const std::vector<Rule>& rules, bool backfill = false) {
    const auto watch = must(Watch::open(*watching, rules, backfill));
    return see(*watch);
  }
  // "title state owner comment", latest first.
  std::string kept() {
    std::string out;
    for (const KeptAlert& one : must(kept_alerts(trail.db(), {})))
      out += fmt::format("{} {} {} {}\n", one.alert.title, name(one.state), one.owner, one.comment);
    return out;
  }
  // A connection of its own, as it has: what is its own work is no news to it.
  std::unique_ptr<Database> watching = trail.connect();

  void price(int to) { trail.as("ann", fmt::format("update p set price = {} where id = 2", to)); }
};
using Watching = WatchTest;

INSTANTIATE_TEST_SUITE_P(Both, Watching, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(Watching, BeginsWithWhatIsToComeAndGoesOnWhereItWas) {
  EXPECT_EQ(watched({rule_of("r")}), "") << "what was before it is over";
  price(20);
  EXPECT_EQ(watched({rule_of("r")}), "r 2: 20\n");
  EXPECT_EQ(watched({rule_of("r")}), "");
  price(21);
  price(22);
  const auto watch = must(Watch::open(*watching, {rule_of("r")}, false));
  EXPECT_EQ(watch->begun().size(), 0U);
  EXPECT_EQ(see(*watch), "r 2: 21\nr 2: 22\n");
  price(23);
  EXPECT_EQ(see(*watch), "r 2: 23\n") << "it follows";
  EXPECT_EQ(kept(), "2: 23 open  \n2: 22 open  \n2: 21 open  \n2: 20 open  \n");
  // What was raised is a change, and no rule is about it that does not name it.
  Selection of_alerts;
  of_alerts.filter = must(parse_filter("who:\"vestige watch\"", Now(0)));
  EXPECT_EQ(must(change_ids(trail.db(), of_alerts)).size(), 4U);
}

TEST_P(Watching, WindowsGoOnOverStops) {
  Rule rule = rule_of("often", RuleKind::frequency);
  rule.count = 4;
  rule.within = 3'600'000'000;
  rule.message = "{count}";
  EXPECT_EQ(watched({rule}), "");
  for (int i = 0; i < 3; ++i) {
    price(30 + i);
    EXPECT_EQ(watched({rule}), "");
  }
  price(40);
  EXPECT_EQ(watched({rule}), "often 4\n");
  price(41);
  EXPECT_EQ(watched({rule}), "");
}

TEST_P(Watching, ANewRuleBeginsHereOrIsFilledFromTheFirstChange) {
  EXPECT_EQ(watched({rule_of("one")}), "");
  price(20);
  EXPECT_EQ(watched({rule_of("one")}), "one 2: 20\n");
  EXPECT_EQ(watched({rule_of("one"), rule_of("two")}), "")
      << "the new one begins behind what the others have seen";
  price(21);
  EXPECT_EQ(watched({rule_of("one"), rule_of("two"), rule_of("three")}, true),
            "three 1: 11 backfilled\nthree 2: 20 backfilled\none 2: 21\ntwo 2: 21\nthree 2: 21\n");
  Rule other = rule_of("two");
  other.when = "new.price > 20";
  price(22);
  EXPECT_EQ(watched({rule_of("one"), rule_of("three")}), "one 2: 22\nthree 2: 22\n");
  EXPECT_EQ(watched({rule_of("one"), other, rule_of("three")}), "")
      << "a changed rule is a new one";
  price(23);
  EXPECT_EQ(watched({rule_of("one"), other, rule_of("three")}),
            "one 2: 23\ntwo 2: 23\nthree 2: 23\n");
  EXPECT_EQ(must(scalar_integer(trail.db(), "select count(*) from " +
                                                must(kept_table(trail.db(), "rule_state")) +
                                                " where part = '@'")),
            3)
      << "what it was before is forgotten";
}

TEST_P(Watching, OfTwoOneIsTold) {
  const auto first = must(Watch::open(*watching, {rule_of("r")}, false));
  const auto other = trail.connect();
  const auto second = must(Watch::open(*other, {rule_of("r")}, false));
  price(20);
  EXPECT_EQ(see(*first), "r 2: 20\n");
  EXPECT_EQ(error_of(second->turn(clock_now())).message, "watch: another watches this database");
  price(21);
  EXPECT_EQ(see(*first), "r 2: 21\n");
  EXPECT_EQ(kept(), "2: 21 open  \n2: 20 open  \n");
}

TEST_P(Watching, AlertsGoFromHandToHand) {
  watched({rule_of("r")});
  price(20);
  price(21);
  watched({rule_of("r")});
  const auto all = must(kept_alerts(trail.db(), {}));
  ASSERT_EQ(all.size(), 2U);
  Context context;
  context.set("actor", "eve");
  context.set("reason", "the new list");
  const std::string id = all[0].alert.id;
  must(set_alert(trail.db(), id.substr(0, 8), AlertState::acknowledged, "eve", "", context));
  EXPECT_EQ(kept(), "2: 21 acknowledged eve \n2: 20 open  \n");
  must(set_alert(trail.db(), id, AlertState::closed, "eve", "the new list", context));
  EXPECT_EQ(kept(), "2: 21 closed eve the new list\n2: 20 open  \n");
  EXPECT_EQ(error_of(set_alert(trail.db(), id, AlertState::closed, "bob", "", context)).message,
            "alert " + id + ": it was closed by eve");
  EXPECT_EQ(error_of(kept_alert(trail.db(), "0000")).message,
            "find alert 0000: there is none of that id");
  EXPECT_EQ(error_of(kept_alert(trail.db(), "%")).message,
            "find alert %: there is none of that id");
  {
    std::vector<KeptAlert> alike(2, all[0]);
    alike[0].alert.id = "abcd000000000001";
    alike[1].alert.id = "abcd000000000002";
    auto scope = must(ContextScope::begin(trail.db(), context));
    must(keep_alerts(trail.db(), alike));
    EXPECT_EQ(error_of(kept_alert(trail.db(), "abcd")).message,
              "find alert abcd: the ids of 2 begin so");
    EXPECT_EQ(must(kept_alert(trail.db(), alike[1].alert.id)).alert.id, alike[1].alert.id);
  }
  const KeptAlert one = must(kept_alert(trail.db(), id));
  EXPECT_EQ(to_json(one.alert), to_json(all[0].alert)) << "nothing of it is lost";
  EXPECT_EQ(must(kept_alerts(trail.db(), {AlertState::open, "r", 0})).size(), 1U);
  EXPECT_EQ(must(kept_alerts(trail.db(), {{}, "other", 0})).size(), 0U);
  Selection by_eve;
  by_eve.who = {"eve"};
  EXPECT_EQ(must(change_ids(trail.db(), by_eve)).size(), 2U)
      << "and who did it stands in the trail";
}

// Who may take alerts up may write into their table what cannot be read: that is shown, and nothing else suffers.
TEST_P(Watching, ADamagedAlertHindersNoOther) {
  watched({rule_of("r")});
  price(20);
  watched({rule_of("r")});
  const KeptAlert good = must(kept_alerts(trail.db(), {})).at(0);
  const std::string table = trail.postgres() ? "vestige.alert" : "vestige_alert";
  const auto put = [&](const std::string& id, const std::string& hash, const std::string& state,
                       const std::string& group, const std::string& detail) {
    must(trail.db().run("insert into " + table +
                            " (id, rule, rule_hash, severity, state, grp, title, opened_at,"
                            " changes, detail) values (?1, 'silence', ?2, 'low\"', ?3, ?4,"
                            " 'x', '2026-01-01T00:00:00Z', '[1]', ?5)",
                        {Text{id}, Text{hash}, Text{state}, Text{group}, Text{detail}}));
  };
  put("abcd", "h", "open", "{}", "{");
  put("abcd02", "h", "open", "[]", "{}");
  put("abcd03", "h", "open", "{}}", "{}");
  put("q\",\r\nx", "h", "open", "{}", R"({"notify":["ops"]})");
  put("ab", "", "silenced", "{}", "{");
  put("ac", "", "silenced", "{}", R"({"until":"2999-01-01T00:00:00.000000Z"})");
  std::map<std::string, std::string> why;
  for (const KeptAlert& one : must(kept_alerts(trail.db(), {}))) why[one.alert.id] = one.damaged;
  EXPECT_EQ(why.size(), 5U);
  EXPECT_EQ(why[good.alert.id], "");
  EXPECT_NE(why["abcd"].find("read json"), std::string::npos) << why["abcd"];
  EXPECT_EQ(why["q\",\r\nx"], "its id is none that a rule gives") << "it would be a header";
  EXPECT_EQ(why["abcd02"], "its group is no object");
  EXPECT_NE(why["abcd03"].find("read json"), std::string::npos) << why["abcd03"];
  const std::string json = to_json(must(kept_alert(trail.db(), "abcd")));
  EXPECT_NE(json.find(R"("severity":"low\"","group":{})"), std::string::npos) << json;
  EXPECT_NE(json.find(R"(,"damaged":"read json)"), std::string::npos) << json;
  Context context;
  context.set("actor", "eve");
  must(set_alert(trail.db(), "abcd", AlertState::closed, "eve", "it says nothing", context));
  must(set_alert(trail.db(), good.alert.id, AlertState::closed, "eve", "", context));
  price(21);
  EXPECT_EQ(watched({rule_of("r")}), "r 2: 21\n") << "silences that say nothing silence nothing";
  NotifyTarget ops;
  ops.name = "ops";
  put("abcd04", "h", "open", "{}", R"({"notify":["ops"]})");
  put("abcd05", "h", "open", "{}", R"({"notify":["ops"],"at":"then"})");
  const Due told = must(due(trail.db(), {ops}, clock_now()));
  ASSERT_EQ(told.now.size(), 1U) << "of what is damaged nobody knows whom to tell";
  EXPECT_EQ(told.now[0].notice.id, "abcd04");
}

TEST_P(Watching, WhatIsSilencedIsRecorded) {
  watched({rule_of("r"), rule_of("s")});
  Context context;
  context.set("actor", "eve");
  const std::int64_t now = clock_now();
  must(silence(trail.db(), "rule:r actor:ann", now - 1'000'000, now + 3'600'000'000, "eve",
               "stocktaking", context));
  must(silence(trail.db(), "rule:s", now - 2'000'000, now - 1'000'000, "eve", "over", context));
  price(20);
  EXPECT_EQ(watched({rule_of("r"), rule_of("s")}), "r 2: 20\ns 2: 20\n");
  std::string states;
  for (const KeptAlert& one : must(kept_alerts(trail.db(), {})))
    states += fmt::format("{} {} {}\n", one.alert.rule, name(one.state), one.comment);
  EXPECT_NE(states.find("r silenced stocktaking\n"), std::string::npos) << states;
  EXPECT_NE(states.find("s open \n"), std::string::npos) << states;
  for (const char* words : {"", "nothing:x", "rule:", "rule"})
    EXPECT_FALSE(silence(trail.db(), words, 0, 1, "eve", "x", context).has_value()) << words;
  EXPECT_EQ(error_of(silences("x:y", Alert())).message, "silence 'x:y': it says nothing of alerts");
  EXPECT_EQ(error_of(silences("", Alert())).message, "silence: what is meant is not said");
}

TEST_P(Watching, TroubleOfTheTrailItselfIsToldOfOnceUntilItIsOver) {
  Rule rule = rule_of("bypass", RuleKind::health);
  rule.filter = Filter();
  rule.what = {"capture-disabled", "sealer-lag:60s", "policy-changed"};
  rule.message = "";
  const auto watch = must(Watch::open(*watching, {rule}, false));
  std::int64_t now = clock_now();
  const auto told = [&] {
    std::string out;
    for (const KeptAlert& kept : must(watch->turn(now += 60'000'001)).raised)
      out += kept.alert.title + "\n";
    return out;
  };
  EXPECT_EQ(told().substr(0, 8), "change 1");
  EXPECT_EQ(told(), "") << "once";
  trail.seal();
  EXPECT_EQ(told(), "") << "it is over";
  if (trail.postgres()) trail.application("alter table p disable trigger user");
  else trail.application("drop trigger vestige_1_update");
  const std::string capture = told();
  EXPECT_EQ(capture.substr(0, 36), "what is written to p may not be reco") << capture;
  EXPECT_EQ(told().find("what is written"), std::string::npos);
}

TEST_P(Watching, ARecordThatIsNotAsItWasSealedIsAnAlert) {
  Rule rule = rule_of("record", RuleKind::health);
  rule.filter = Filter();
  rule.what = {"verify-failed:1h"};
  rule.message = "";
  int asked = 0;
  Result<std::string> answer = std::string();
  const auto watch = must(Watch::open(*watching, {rule}, false, nullptr, [&] {
    ++asked;
    return answer;
  }));
  std::int64_t now = clock_now();
  const auto told = [&](std::int64_t minutes) {
    std::string out;
    for (const KeptAlert& kept : must(watch->turn(now += minutes * 60'000'000)).raised)
      out += kept.alert.title + "\n";
    return out;
  };
  EXPECT_EQ(told(0), "");
  EXPECT_EQ(asked, 1);
  answer = "the record is not as it was sealed: 1 finding: change 2";
  EXPECT_EQ(told(59), "") << "it is not its time";
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(told(1), "the record is not as it was sealed: 1 finding: change 2\n");
  EXPECT_EQ(told(1) + told(60), "") << "once";
  answer = fail(Fault::conflict, "locked");
  EXPECT_EQ(told(60), "") << "it stands";
  answer = std::string();
  EXPECT_EQ(told(60), "");
  answer = fail(Fault::corrupt, "read entry 3");
  EXPECT_EQ(told(60), "the record cannot be verified: read entry 3\n");
  answer = fail(Fault::denied, "you may not");
  EXPECT_EQ(error_of(watch->turn(now += 3'600'000'000)).message, "you may not");
}

// From cron each is a run of its own.
TEST_P(Watching, ARecordIsVerifiedOnceInItsTimeWhoeverAsks) {
  Rule hourly = rule_of("hourly", RuleKind::health);
  hourly.filter = Filter();
  hourly.what = {"verify-failed:1h"};
  hourly.message = "";
  Rule daily = hourly;
  daily.id = "daily";
  daily.what = {"verify-failed:1d"};
  EXPECT_TRUE(asks_to_verify({rule_of("r"), daily}));
  EXPECT_FALSE(asks_to_verify({rule_of("r")}));
  int asked = 0;
  Result<std::string> answer = fail(Fault::conflict, "locked");
  std::int64_t now = clock_now();
  const auto verifier = [&] { return ++asked, answer; };
  // What is raised, and how often it was verified until then.
  const auto told = [&](std::int64_t minutes) {
    const auto watch = must(Watch::open(*watching, {hourly, daily}, false, nullptr, verifier));
    std::string out;
    for (const KeptAlert& kept : must(watch->turn(now += minutes * 60'000'000)).raised)
      out += kept.alert.rule + " " + kept.alert.title + "; ";
    return out + std::to_string(asked);
  };
  EXPECT_EQ(told(0), "2") << "that is no answer, for none of them";
  answer = "it is not";
  EXPECT_EQ(told(1), "hourly it is not; daily it is not; 3") << "once for both";
  EXPECT_EQ(told(59), "3") << "it is not its time, and it is not over";
  answer = std::string();
  EXPECT_EQ(told(1), "4");
  const std::string state = "update " + must(kept_table(trail.db(), "rule_state")) +
                            " set state = ?1 where part = '@verified'";
  must(trail.db().run(state, {Text{"9000000000000000000 "}}));
  EXPECT_EQ(told(1), "5") << "nobody verified it in a time to come";
  must(trail.db().run(state, {Text{"x"}}));
  EXPECT_TRUE(told(1).ends_with("is not raised; 6"));
}

// What a killed one did not commit is done again, and the same comes of it.
TEST_P(Watching, TheSameIdsAsBeforeAndAsWouldHaveBeen) {
  watched({rule_of("r")});
  price(20);
  const auto watch = must(Watch::open(*watching, {rule_of("r")}, false));
  const std::string once = must(watch->turn(clock_now())).raised.at(0).alert.id;
  // As if the cursor had not moved: it is seen again.
  must(trail.db().run(fmt::format("update {} set upto = 3 where consumer = 'vestige watch'",
                                  trail.postgres() ? "vestige.cursor" : "vestige_cursor")));
  watched({rule_of("r")});
  const auto all = must(kept_alerts(trail.db(), {}));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].alert.id, once);
}

TEST_P(Watching, WhatARuleRemembersAndNobodyCanReadIsAnAlertAndItGoesOn) {
  Rule rule = rule_of("often", RuleKind::frequency);
  rule.count = 3;
  rule.within = 3'600'000'000;
  rule.message = "x";
  watched({rule, rule_of("each")});
  price(20);
  price(21);
  watched({rule, rule_of("each")});
  const std::string state = must(kept_table(trail.db(), "rule_state"));
  const std::string said =
      "of what it remembers cannot be read, and it goes on without: what it"
      " would have raised with it is not raised\n";
  must(trail.db().run("update " + state + " set state = 'x' where rule = 'often' and part <> '@'"));
  price(22);
  std::string raised = watched({rule, rule_of("each")});
  EXPECT_TRUE(raised.starts_with("often rule often: ")) << raised;
  EXPECT_TRUE(raised.ends_with(said + "each 2: 22\n")) << "and the others miss nothing" << raised;
  EXPECT_EQ(watched({rule, rule_of("each")}), "") << "once";
  price(23);
  price(24);
  EXPECT_EQ(watched({rule, rule_of("each")}), "each 2: 23\noften x\neach 2: 24\n")
      << "it counts from where it was damaged";

  must(trail.db().run("update " + state + " set state = 'y' where rule = 'often' and part = '@'"));
  price(25);
  EXPECT_EQ(watched({rule, rule_of("each")}, true),
            "often rule often: 1 part " + said + "each 2: 25\n")
      << "it has seen what was before";
  must(trail.db().run("update " + state + " set state = 'y' where rule = 'often' and part = '@'"));
  EXPECT_EQ(watched({rule, rule_of("each")}), "often rule often: 1 part " + said)
      << "what is damaged again is told again";
}

TEST_P(Watching, NothingElseIsKept) {
  const std::string other = error_of(kept_table(trail.db(), "other")).message;
  EXPECT_NE(other.find(trail.postgres() ? "the trail keeps nothing in a table other"
                                        : "there is no table other to keep anything in"),
            std::string::npos)
      << other;
}

}  // namespace
}  // namespace vestige
