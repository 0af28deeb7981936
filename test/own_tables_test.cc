// The trail's own tables, on both databases: made at their first use, tracked, in no plan, and nobody's to rewrite.
#include "test/evidence.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/plan.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/install.h"
#include "vestige/trail/spelling.h"

namespace vestige {
namespace {

constexpr const char* kOwn[] = {"mark",  "access", "review",   "policy_change",
                                "alert", "hold",   "archived", "recipient"};

// A row for each, with no more than must be.
std::string row_of(const std::string& table) {
  if (table == "mark") return "(name, change) values ('m', 1)";
  if (table == "access") return "(kind, subject_table) values ('read', 'p')";
  if (table == "review")
    return "(report, period_from, period_to, reviewer, verdict) values ('daily', '2026-01-01', "
           "'2026-02-01', 'ann', 'in-order')";
  if (table == "archived") return "(from_index, upto_index, manifest) values (0, 1, '')";
  if (table == "hold") return "(matter, filter, placed_by) values ('m', 'table:none', 'ann')";
  if (table == "recipient") return "(class, public) values ('phi', 'age1')";
  if (table == "policy_change") return "(verb, table_name) values ('track', 'p')";
  return "(id, rule, rule_hash, severity, state, opened_at) values ('a', 'r', 'h', 'high', 'open', "
         "'2026-01-01')";
}

class OwnTables : public testing::TestWithParam<Engine> {};

INSTANTIATE_TEST_SUITE_P(Both, OwnTables, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

void make(Database& db, std::string_view name) {
  auto transaction = must(Transaction::begin(db));
  must(own_table(db, name));
  must(transaction.commit());
}

TEST_P(OwnTables, AreMadeAtTheirFirstUseAndRecordedAndSealed) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const Spelling spelling = spelling_of(db);
  const auto tracked = must(tracked_tables(db)).size();
  for (const std::string name : kOwn) {
    EXPECT_FALSE(tracked_table(db, spelling.table(name)).has_value()) << name;
    make(db, name);
    make(db, name);
    trail.as("ann", "insert into " + spelling.table(name) + " " + row_of(name));
    Selection own;
    own.table = must(tracked_table(db, spelling.table(name))).id;
    auto changes = must(read_changes(db, own));
    const auto change = must(changes->next());
    ASSERT_TRUE(change.has_value()) << name;
    EXPECT_EQ(*change->who(), "ann");
    EXPECT_EQ(must(changes->next()), std::nullopt);
  }
  EXPECT_EQ(must(tracked_tables(db)).size(), tracked + std::size(kOwn));
  trail.seal();
  (void)trail.verify();
  EXPECT_EQ(trail.found, "");
  Plan empty;
  empty.prune = true;
  for (const PlanStep& step : must(plan(db, empty))) EXPECT_EQ(step.table, "p") << step.text;
  for (const Finding& one : must(doctor(db, false)))
    EXPECT_NE(one.severity, Severity::error) << one.message;
}

TEST_P(OwnTables, AreNobodysToTrackOrToUntrack) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  for (const std::string name : kOwn) {
    make(db, name);
    Policy policy;
    policy.tags = {"SOX"};
    auto transaction = must(Transaction::begin(db));
    EXPECT_FALSE(track(db, spelling_of(db).table(name), policy).has_value()) << name;
  }
  for (const std::string name : kOwn) {
    auto transaction = must(Transaction::begin(db));
    EXPECT_FALSE(untrack(db, spelling_of(db).table(name)).has_value()) << name;
  }
  auto transaction = must(Transaction::begin(db));
  EXPECT_NE(error_of(own_table(db, "context")).message.find(" has no table context of its own"),
            std::string::npos);
}

class OwnTablesOnPostgres : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::string name : kOwn) {
      s.run("select vestige.own_table('" + name + "')");
      s.run("insert into vestige." + name + " " + row_of(name));
    }
  }
  std::string may(PgSession& session, const std::string& table) {
    std::string done;
    const std::string named = "vestige." + table;
    const std::string again = table == "mark" ? "(name, change) values ('n', 2)"
                              : table == "alert"
                                  ? "(id, rule, rule_hash, severity, state, opened_at) "
                                    "values ('b', 'r', 'h', 'low', 'open', now())"
                                  : row_of(table);
    const std::string column = table == "mark" ? "change" : "id";
    const std::pair<const char*, std::string> attempts[] = {
        {"select", "do $$ begin perform * from " + named + "; end $$"},
        {"insert", "insert into " + named + " " + again},
        {"update", "update " + named + " set " + column + " = " + column + " where false"},
        {"delete", "delete from " + named + " where false"},
        {"truncate", "truncate " + named},
        {"alter", "alter table " + named + " disable trigger all"},
        {"drop", "drop table " + named},
    };
    for (const auto& [name, sql] : attempts)
      if (session.error(sql).empty()) done += (done.empty() ? "" : " ") + std::string(name);
    return done;
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(OwnTablesOnPostgres, AreWrittenByWhomTheyAreMeantFor) {
  const std::string app = shop.role("app");
  const std::string reader = shop.role("reader");
  const std::string auditor = shop.role("auditor");
  const std::string admin = shop.role("admin");
  s.run("grant vestige_reader to " + reader + "; grant vestige_admin to " + admin +
        "; grant vestige_auditor to " + auditor);
  std::string seen;
  for (const auto& [name, role] : {std::pair("app", app), std::pair("reader", reader),
                                   std::pair("auditor", auditor), std::pair("admin", admin)}) {
    PgSession mine = shop.connect(role);
    for (const std::string table : kOwn)
      seen += std::string(name) + " " + table + ": " + may(mine, table) + "\n";
    if (std::string(name) == "auditor")
      s.run("delete from vestige.mark where name = 'n'; delete from vestige.alert where id = 'b'");
  }
  EXPECT_EQ(
      seen,
      "app mark: \napp access: \napp review: \napp policy_change: \napp alert: \napp hold: \napp "
      "archived: \napp recipient: \n"
      "reader mark: select\nreader access: select\nreader review: select\n"
      "reader policy_change: select\nreader alert: select\nreader hold: select\nreader archived: "
      "select\nreader recipient: select\n"
      "auditor mark: select insert update delete\nauditor access: select\n"
      "auditor review: select insert\nauditor policy_change: select\n"
      "auditor alert: select insert update\nauditor hold: select\nauditor archived: select insert\n"
      "auditor recipient: select\n"
      "admin mark: select insert update delete\nadmin access: select\n"
      "admin review: select insert\nadmin policy_change: select\n"
      "admin alert: select insert update\nadmin hold: select\nadmin archived: select insert\n"
      "admin recipient: select\n");
  EXPECT_EQ(s.one("select count(*)::text from vestige.trail_findings() where code = 'rights'"),
            "0");
}

TEST_F(OwnTablesOnPostgres, AlertsAreOpenedAtATime) {
  for (const char* time : {"infinity", "-infinity"})
    EXPECT_NE(s.error(fmt::format("update vestige.alert set opened_at = '{}'", time))
                  .find("alert_opened_at_check"),
              std::string::npos);
}

}  // namespace
}  // namespace vestige
