// erase takes what alerts say of the changes that it takes, on both databases.
#include "test/erase.h"
#include "vestige/rules/alerts.h"
#include "vestige/trail/context.h"
#include "vestige/trail/hold.h"
#include "vestige/trail/kept_table.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

class EraseAlertsTest : public ErasingTest {
 protected:
  void raise(const std::string& id, std::vector<std::int64_t> changes) {
    KeptAlert kept;
    kept.alert.id = id;
    kept.alert.rule = "card";
    kept.alert.rule_hash = "1";
    kept.alert.kind = "broken";
    kept.alert.severity = "high";
    kept.alert.group = R"({"key":"Eve, \"who\":1"})";
    kept.alert.title = "the card of Eve";
    kept.alert.who = "Eve \"E\" \\";
    kept.alert.why = "'Eve' is no number";
    kept.alert.table = "p";
    kept.alert.notify = {"ops"};
    kept.alert.changes = std::move(changes);
    Context context;
    context.set("actor", "vestige watch");
    auto scope = must(ContextScope::begin(trail.db(), context));
    must(keep_alerts(trail.db(), {kept}));
    must(scope.commit());
  }
  std::string shown(const std::string& id) {
    const KeptAlert one = must(kept_alert(trail.db(), id));
    return fmt::format("{} {} {} {} {} {} {} {}", one.alert.title, one.alert.group, name(one.state),
                       one.owner, one.comment, one.alert.who, one.alert.why, one.damaged);
  }
  static constexpr const char* kFirst = "0000000000000001";
  static constexpr const char* kSecond = "0000000000000002";
};
using ErasingAlerts = EraseAlertsTest;

INSTANTIATE_TEST_SUITE_P(Both, ErasingAlerts, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(ErasingAlerts, LoseWhatTheySayOfAnErasedChange) {
  raise(kFirst, {2});
  raise(kSecond, {22, 3});
  must(set_alert(trail.db(), kFirst, AlertState::acknowledged, "ann", "", because()));
  must(set_alert(trail.db(), kFirst, AlertState::closed, "ann", "Eve was called", because()));
  const std::string kept = trail.seal();
  const std::string second = shown(kSecond);
  EXPECT_NE(second.find("the card of Eve"), std::string::npos);

  EraseRequest dry = row("2");
  dry.dry_run = true;
  EXPECT_EQ(erase(dry).alerts, 1);
  EXPECT_NE(shown(kFirst).find("Eve was called"), std::string::npos);

  const Erasing done = erase(row("2"));
  EXPECT_EQ(done.alerts, 1);
  EXPECT_EQ(done.by.size(), 2U) << "an ERASE of each table";
  EXPECT_EQ(shown(kFirst), "(erased) {} closed ann    ");
  EXPECT_EQ(must(kept_alert(trail.db(), kFirst)).alert.notify, std::vector<std::string>{"ops"});
  EXPECT_EQ(shown(kSecond), second);
  const std::string all = log();
  std::size_t names = 0;
  for (std::size_t at = all.find("the card of Eve"); at != std::string::npos;
       at = all.find("the card of Eve", at + 1))
    ++names;
  EXPECT_EQ(names, 1U) << "in the change of the other alert alone\n" << all;
  EXPECT_EQ(all.find("Eve was called"), std::string::npos) << all;
  EXPECT_EQ(erase(row("2")).alerts, 0) << "once";
  const std::string later = trail.seal();
  (void)trail.verify({kept, later});
  EXPECT_EQ(trail.found, "");
}

TEST_P(ErasingAlerts, GoAsFarAsTheErasedContexts) {
  trail.as("eve", "insert into p values (7, 'x', 1), (8, 'x', 1)");
  const std::int64_t last = must(change_ids(trail.db(), {.table = 1})).back();
  raise(kFirst, {last});
  EraseRequest one = changes({last - 1});
  EXPECT_EQ(erase(one).alerts, 0);
  one.contexts = true;
  EXPECT_EQ(erase(one).alerts, 1) << "it is of the same transaction";
  EXPECT_EQ(shown(kFirst).find("Eve"), std::string::npos);
}

TEST_P(ErasingAlerts, OfWhichAreHeldKeepTheChange) {
  raise(kFirst, {2});
  must(place_hold(trail.db(), "Doe v. Shop", must(parse_filter("who:\"vestige watch\"", Now(0))),
                  false, because()));
  EXPECT_NE(refused(row("2")).find("is held for \"Doe v. Shop\""), std::string::npos);
  EXPECT_NE(shown(kFirst).find("the card of Eve"), std::string::npos);
  EXPECT_EQ(log("2").find("values:"), std::string::npos);
}

// Whoever may write to the table can have put anything there.
TEST_P(ErasingAlerts, AreFoundWhateverStandsThere) {
  raise(kFirst, {2});
  raise(kSecond, {3});
  must(trail.db().run(
      "update " + must(known_kept_table(trail.db(), "alert")) +
          " set changes = 'x002y,99999999999999999999999', detail = '[\"Eve\"]' where id = ?1",
      {Text{kFirst}}));
  must(trail.db().run(
      "update " + must(known_kept_table(trail.db(), "alert")) + " set changes = null where id = ?1",
      {Text{kSecond}}));
  // A setting of the session that functions must not believe.
  if (trail.postgres()) must(trail.db().script("set standard_conforming_strings = off"));
  EXPECT_EQ(erase(row("2")).alerts, 1);
  EXPECT_EQ(must(kept_alert(trail.db(), kFirst)).alert.title, "(erased)");
  EXPECT_EQ(must(scalar_integer(trail.db(), "select count(*) from " +
                                                must(known_kept_table(trail.db(), "alert")) +
                                                " where detail = '{}'")),
            1);
  must(set_alert(trail.db(), kSecond, AlertState::closed, "ann", "Eve", because()));
  must(trail.db().run("update " + must(known_kept_table(trail.db(), "alert")) +
                          " set changes = '[3]', detail ="
                          " '{ \"who\" : \"Eve\", \"why\" : [\"Eve\"] }' where id = ?1",
                      {Text{kSecond}}));
  EXPECT_EQ(erase(row("3")).alerts, 1);
  EXPECT_EQ(shown(kSecond), "(erased) {} closed ann    ");
}

// What is asked in vain stands for good: nothing of the person does.
TEST_P(ErasingAlerts, ARefusalNamesNobody) {
  trail.application("create table m (mail text primary key, x int)");
  auto transaction = must(Transaction::begin(trail.db()));
  must(track(trail.db(), "m", Policy()));
  must(transaction.commit());
  trail.as("ann", "insert into m values ('eve@x.org', 1)");
  must(place_hold(trail.db(), "Doe", must(parse_filter("table:m", Now(0))), false, because()));
  EraseRequest request;
  request.table = "m";
  request.key = {"eve@x.org"};
  EXPECT_NE(refused(request).find("is held"), std::string::npos);
  EXPECT_EQ(must(holds(trail.db())).front().attempt, "erase m …");
}

// A trail that an earlier vestige installed leaves alerts as they are: then nothing is erased.
TEST_P(ErasingAlerts, AreNotOverlookedOnAnOlderTrail) {
  if (!trail.postgres()) GTEST_SKIP() << "SQLite's trail has no functions";
  raise(kFirst, {2});
  must(trail.db().script(
      "do $$ begin execute replace(pg_get_functiondef('vestige.erase_changes(bigint[], boolean,"
      " boolean)'::regprocedure), 'vestige.erase_told(ids || said_of)', 'null'); end $$; drop "
      "function"
      " vestige.erase_told(bigint[])"));
  EXPECT_EQ(refused(row("2")),
            "erase: this trail is older and leaves what alerts say of the changes");
  EXPECT_NE(shown(kFirst).find("the card of Eve"), std::string::npos);
  EXPECT_EQ(must(scalar_integer(trail.db(), "select count(*) from vestige.erased")), 0);
}

}  // namespace
}  // namespace vestige
