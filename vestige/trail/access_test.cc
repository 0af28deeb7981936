// Reads that are reported and reads of the trail, on both databases; and what becomes of policies.
#include "vestige/trail/access.h"

#include "test/evidence.h"
#include "vestige/trail/hold.h"
#include "vestige/trail/spelling.h"

namespace vestige {
namespace {

class AccessBoth : public testing::TestWithParam<Engine> {};

INSTANTIATE_TEST_SUITE_P(Both, AccessBoth, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

Context by(const std::string& actor) {
  Context context;
  context.set("actor", actor);
  return context;
}

std::string listed(Database& db, const AccessRequest& request) {
  std::string out;
  AccessLog log = must(access_log(db, request));
  while (const auto one = must(log.next())) {
    out += one->kind + " " + one->who.value_or("?") + " " + one->table + one->key + one->verb +
           (one->filter.empty() ? "" : " " + one->filter);
    if (!one->purpose.empty()) out += ": " + one->purpose;
    if (!one->recipient.empty()) out += " to " + one->recipient;
    if (one->suspended_until.has_value()) out += " suspended";
    out += "\n";
  }
  return out;
}

// How an application reports a read of a row of p.
void report(Evident& trail, const std::string& actor, const std::string& key,
            const std::string& purpose) {
  trail.as(
      actor,
      trail.postgres()
          ? fmt::format("select vestige.access('p', '{}', purpose => '{}')", key, purpose)
          : fmt::format("insert into vestige_access (kind, subject_table, subject_key, purpose)"
                        " values ('read', 'p', json_array({}), '{}')",
                        key, purpose));
}

TEST_P(AccessBoth, ListsWhatAnApplicationReports) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  EXPECT_EQ(listed(db, {}), "");
  must(prepare_access(db));
  must(prepare_access(db));
  report(trail, "nurse", "1", "treatment");
  report(trail, "clerk", "2", "billing");
  const std::string one =
      trail.postgres() ? "read nurse p[\"1\"]: treatment\n" : "read nurse p[1]: treatment\n";
  const std::string two =
      trail.postgres() ? "read clerk p[\"2\"]: billing\n" : "read clerk p[2]: billing\n";
  EXPECT_EQ(listed(db, {}), two + one);
  EXPECT_EQ(listed(db, {.table = "p", .key = {"1"}}), one);
  EXPECT_EQ(listed(db, {.table = "p", .key = {"3"}}), "");
  const Error unknown = error_of(access_log(db, {.table = "pp"}));
  EXPECT_EQ(unknown.fault, Fault::missing);
  EXPECT_EQ(unknown.message, "find table pp: none has that name, and no read of one was reported");
  EXPECT_EQ(listed(db, {.who = {"clerk"}}), two);
  EXPECT_EQ(listed(db, {.kinds = {"disclosure"}}), "");
  EXPECT_EQ(listed(db, {.oldest_first = true}), one + two);
  trail.seal();
  (void)trail.verify();
  EXPECT_EQ(trail.found, "");
}

TEST_P(AccessBoth, IsSuspendedForAsLongAsItWasSaidLast) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  must(prepare_access(db));
  const std::string table = spelling_of(db).table("access");
  for (const char* recipient : {"agency", "court", "press"})
    trail.as("dpo", fmt::format("insert into {} (kind, recipient, suspended_until) values "
                                "('disclosure', '{}', '2099-01-01 00:00:00Z')",
                                table, recipient));
  trail.as("dpo",
           fmt::format("update {} set suspended_until = null where recipient = 'court'", table));
  trail.as(
      "dpo",
      fmt::format("update {} set suspended_until = 'infinity' where recipient = 'press'", table));
  EXPECT_EQ(listed(db, {.oldest_first = true}),
            "disclosure dpo  to agency suspended\ndisclosure dpo  to court\n"
            "disclosure dpo  to press suspended\n");
}

TEST_P(AccessBoth, RecordsReadsOfTheTrailWhereThatIsAskedFor) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  EXPECT_FALSE(must(records_access(db)));
  EXPECT_FALSE(must(record_access(db, true, by("ann"))));
  EXPECT_TRUE(must(record_access(db, true, by("ann"))));
  EXPECT_TRUE(must(records_access(db)));
  must(record_read(db, {.verb = "log", .filter = "p 1", .purpose = "it's asked"}, by("bob")));
  must(record_read(db, {.kind = "export", .verb = "export"}, by("bob")));
  EXPECT_EQ(listed(db, {}), "export bob export\ntrail bob log p 1: it's asked\n");
  EXPECT_TRUE(must(record_access(db, false, by("ann"))));
  EXPECT_FALSE(must(records_access(db)));
}

// Whoever holds the database up must not have a read shown that is not recorded.
TEST_P(AccessBoth, IsNotTakenForOffWhereNobodyCanTell) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  must(record_access(db, true, by("ann")));
  must(db.script(trail.postgres() ? "set lock_timeout = '10ms'" : "pragma busy_timeout = 0"));
  const auto other = trail.connect();
  must(other->script(trail.postgres() ? "begin; lock table vestige.meta in access exclusive mode"
                                      : "begin exclusive"));
  EXPECT_EQ(error_of(records_access(db)).fault, Fault::conflict);
  EXPECT_EQ(error_of(any_held(db)).fault, Fault::conflict);
  must(other->script("rollback"));
  EXPECT_TRUE(must(records_access(db)));
  EXPECT_FALSE(must(any_held(db)).has_value());
}

TEST(AccessOnSqlite, IsOffWhereThereIsNoTrail) {
  Shop shop;
  EXPECT_FALSE(must(records_access(shop.db())));
  EXPECT_FALSE(must(any_held(shop.db())).has_value());
  must(install(shop.db()));
  shop.run("update vestige_meta set value = 99 where name = 'schema_version'");
  EXPECT_EQ(error_of(records_access(shop.db())).fault, Fault::invalid);
  EXPECT_FALSE(must(any_held(shop.db())).has_value());
}

std::string policy_changes(Database& db) {
  Selection own;
  own.table = must(tracked_table(db, spelling_of(db).table("policy_change"))).id;
  own.oldest_first = true;
  std::string out;
  auto changes = must(read_changes(db, own));
  while (const auto change = must(changes->next())) {
    const auto said = [&](const char* column) {
      return to_display(*find(*change->new_values, column));
    };
    out += fmt::format("{} {} {}: {} -> {}\n",
                       change->context.get("actor") == nullptr ? "?" : *change->who(), said("verb"),
                       said("table_name"), said("before"), said("after"));
  }
  return out;
}

TEST_P(AccessBoth, RecordsWhatBecomesOfPolicies) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const auto with = [&](const Policy& policy) {
    auto scope = must(ContextScope::begin(db, by("bob")));
    must(track(db, "p", policy));
    must(scope.commit());
  };
  Policy tagged;
  tagged.tags = {"SOX"};
  with(tagged);
  with(Policy());
  must(record_access(db, true, by("ann")));
  with(Policy());
  with(tagged);
  {
    auto scope = must(ContextScope::begin(db, by("carl")));
    must(untrack(db, "p"));
    must(scope.commit());
  }
  with(Policy());
  must(record_access(db, false, by("ann")));
  with(tagged);
  const std::string tags = trail.postgres() ? R"({"tags": ["SOX"]})" : R"({"tags":["SOX"]})";
  EXPECT_EQ(policy_changes(db),
            fmt::format("ann record null: {{\"record\": false}} -> {{\"record\": true}}\n"
                        "bob policy p: {{}} -> {0}\n"
                        "carl untrack p: {0} -> null\n"
                        "bob track p: null -> {{}}\n"
                        "ann record null: {{\"record\": true}} -> {{\"record\": false}}\n",
                        tags));
}

class AccessOnPostgres : public testing::Test {
 protected:
  void SetUp() override {
    s.run("create table p (id int primary key); select vestige.track('p')");
    for (const char* role : {"reader", "auditor", "admin"}) {
      roles[role] = shop.role(role);
      s.run(fmt::format("grant vestige_{} to {}", role, roles[role]));
    }
  }
  PgShop shop;
  PgSession& s = shop.admin;
  std::map<std::string, std::string> roles;
};

TEST_F(AccessOnPostgres, IsReportedByAnyRoleAndForgedByNone) {
  const std::string app = shop.role("app");
  s.run("select vestige.own_table('policy_change'); grant select on p to " + app);
  PgSession mine = shop.connect(app);
  mine.run(
      "begin; select vestige.set_context('{\"actor\": \"nurse\"}');"
      "select vestige.access('p', '17', purpose => 'treatment');"
      "select vestige.access('p', whole_key => '{7,\"a\\\"b\"}', kind => 'disclosure', recipient "
      "=> 'Dr. Roe',"
      " recipient_address => 'Main Street 1', description => 'blood test', request_ref => 'L-1',"
      " suspended_until => '2099-01-01Z', entries => 2); commit");
  EXPECT_EQ(
      s.one(
          "select string_agg(concat_ws(' ', kind, subject_table, subject_key, purpose, recipient, "
          "recipient_address, description, request_ref, entries), '; ' order by id) from "
          "vestige.access"),
      "read p [\"17\"] treatment; disclosure p [\"7\",\"a\\\"b\"] Dr. Roe Main "
      "Street 1 "
      "blood test L-1 2");
  EXPECT_EQ(
      s.one(
          "select string_agg(distinct x.db_user || ' ' || x.fields, '') from vestige.change c join "
          "vestige.context x on x.id = c.context join vestige.tracked t on t.id = c.tracked "
          "where t.table_name = 'access'"),
      app + " {\"actor\": \"nurse\"}");
  for (const auto& [sql, why] :
       {std::pair("select vestige.access('p', kind => 'trail')", "access: kind is trail"),
        std::pair("select vestige.access('p', kind => null)", "access: kind is null"),
        std::pair("select vestige.access('p', kind => 'disclosure')",
                  "access: a disclosure has a recipient"),
        std::pair("select vestige.access('p', kind => 'disclosure', recipient => ' ')",
                  "access: a disclosure has a recipient"),
        std::pair("select vestige.access('p', kind => 'disclosure', recipient => 'x', "
                  "suspended_until => 'infinity')",
                  "access: suspended_until is infinity"),
        std::pair("select vestige.access('p', purpose => repeat('x', 8193))",
                  "access: a text of 8193 bytes is too long"),
        std::pair("select vestige.access('p', whole_key => array[repeat('x', 9000)])",
                  "is too long"),
        std::pair("select vestige.access(null)", "access: the table is missing"),
        std::pair("select vestige.access(0)", "access: the table is missing"),
        std::pair("select vestige.access('p', entries => -1)", "entries"),
        std::pair("select vestige.access('nothing')", "nothing"),
        std::pair("select vestige.record_read('trail', 'log', '', '')", "permission denied"),
        std::pair("select vestige.record_access(false)", "permission denied"),
        std::pair("select vestige.note_policy('untrack', null, null, null)", "permission denied"),
        std::pair("update vestige.access set purpose = 'none'", "permission denied"),
        std::pair("insert into vestige.access (kind) values ('read')", "permission denied"),
        std::pair("insert into vestige.policy_change (verb) values ('track')",
                  "permission denied")})
    EXPECT_NE(mine.error(sql).find(why), std::string::npos) << sql << ": " << mine.error(sql);
  s.run("revoke execute on function vestige.access from public");
  EXPECT_NE(s.one("select string_agg(message, '') from vestige.rights_findings()")
                .find("an application's role cannot report its reads: the grant that lets it was "
                      "taken away"),
            std::string::npos);
  EXPECT_EQ(s.one("select (vestige.set_rights(false) > 0)::text"), "true");
  mine.run("select vestige.access('p', '18')");
}

TEST_F(AccessOnPostgres, IsSetByAdminsAndWrittenByReadersOnly) {
  const auto as = [&](const char* role) {
    return must(open_database(shop.database.url(roles[role])));
  };
  EXPECT_EQ(error_of(record_access(*as("reader"), true, {})).fault, Fault::denied);
  EXPECT_EQ(error_of(record_access(*as("auditor"), true, {})).fault, Fault::denied);
  must(record_access(*as("admin"), true, {}));
  for (const char* role : {"reader", "auditor", "admin"}) {
    EXPECT_TRUE(must(records_access(*as(role)))) << role;
    must(record_read(*as(role), {.verb = "log"}, {}));
    PgSession mine = shop.connect(roles[role]);
    must(record_read(*as(role), {.kind = "unseal", .verb = "log"}, {}));
    for (const std::string kind : {"disclosure", "read", "none"})
      EXPECT_NE(mine.error("select vestige.record_read('" + kind + "', 'x', 'y', 'z')")
                    .find("record_read: kind is " + kind),
                std::string::npos);
    EXPECT_NE(mine.error("select vestige.record_read(null, 'x', 'y', 'z')"), "");
    for (const char* attempt :
         {"delete from vestige.meta where name = 'record_access'", "delete from vestige.access",
          "update vestige.access set verb = 'show'",
          "insert into vestige.access (kind) values ('trail')",
          "update vestige.policy_change set verb = 'track'", "drop function vestige.record_read"})
      EXPECT_NE(mine.error(attempt), "") << role << ": " << attempt;
  }
  EXPECT_EQ(s.one("select count(*) filter (where kind = 'unseal') || ' of ' || count(*) from "
                  "vestige.access"),
            "3 of 6");
  const std::string nobody = shop.role("nobody");
  // Who may not look whether reads are recorded is shown nothing.
  EXPECT_EQ(error_of(records_access(*must(open_database(shop.database.url(nobody))))).fault,
            Fault::denied);
  // Where it cannot be written, that is said.
  auto standby = as("reader");
  must(standby->script("set default_transaction_read_only = on"));
  EXPECT_EQ(error_of(record_read(*standby, {.verb = "log"}, {})).fault, Fault::denied);
  EXPECT_EQ(s.one("select count(*)::text from vestige.trail_findings() where code = 'rights'"),
            "0");
}

}  // namespace
}  // namespace vestige
