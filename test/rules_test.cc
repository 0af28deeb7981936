// Rules on both databases, over the feed: what they raise, each once, and always the same.
#include "vestige/rules/rule_file.h"

#include <algorithm>
#include <fstream>

#include "test/evidence.h"
#include "vestige/audit/mark.h"
#include "vestige/rules/rules_of.h"

namespace vestige {
namespace {

constexpr const char* kSeeds = R"(
[alerts]
timezone = "Europe/Berlin"
follow = "seal"

[[rule]]
id = "price-jump"
select = "table:products op:update column:price"
when = "old.price > 0 and abs(new.price - old.price) > 0.5 * old.price"
severity = "high"
message = "{table} {key}: price {old.price} → {new.price} ({pct}) by {actor}: {reason}"
group_by = ["table", "key"]
realert = "1h"

[[rule]]
id = "high-value"
select = "table:accounts column:balance"
when = "abs(new.balance - old.balance) > 10000"
severity = "critical"
message = "account {key}: {business_process} of {delta.balance} by {actor}, session {session_id}"

[[rule]]
id = "high-frequency"
kind = "frequency"
select = "table:accounts column:balance"
group_by = ["key"]
count = 6
within = "1h"

[[rule]]
id = "balance-continuity"
kind = "continuity"
select = "table:accounts"
field = "balance"
severity = "critical"
)";

class RulesTest : public EvidenceTest {
 protected:
  void table(const std::string& name, const std::string& columns) {
    trail.application("create table " + name + " (" + columns + ")");
    auto transaction = must(Transaction::begin(trail.db()));
    must(track(trail.db(), name, Policy()));
    must(transaction.commit());
  }

  std::vector<Rule> rules(const std::string& text) {
    std::ofstream(trail.file("vestige.toml")) << text;
    return must(read_rules(must(read_toml(trail.file("vestige.toml"))), trail.file("")));
  }

  std::vector<Alert> raised(const std::string& text, std::optional<std::int64_t> since = {}) {
    const auto engine = must(engine_for(trail.db(), rules(text)));
    std::vector<Alert> out;
    must(try_rules(trail.db(), *engine, since, [&](const Alert& alert) {
      out.push_back(alert);
      return true;
    }));
    return out;
  }
  // "rule: title", a line each.
  std::string told(const std::string& text) {
    std::string out;
    for (const Alert& alert : raised(text)) out += alert.rule + ": " + alert.title + "\n";
    return out;
  }
  // As somebody who may do everything, and knows how.
  void forge(const std::string& sql) {
    if (trail.postgres()) {
      trail.application(
          "do $$ declare t name; begin alter table accounts disable trigger user; " + sql +
          "; for t in select tgname from pg_trigger where tgrelid = 'accounts'::regclass and not"
          " tgisinternal loop execute format('alter table accounts enable always trigger %I', t);"
          " end loop; end $$");
      return;
    }
    auto triggers = must(trail.db().query(
        "select name, sql from sqlite_schema where type = 'trigger' and tbl_name = 'accounts'"));
    std::string drops, makes;
    while (must(triggers->next()) == Step::row) {
      drops += "drop trigger \"" + triggers->text(0) + "\";";
      makes += triggers->text(1) + ";";
    }
    triggers.reset();
    must(trail.db().script(drops + sql + ";" + makes));
  }
  static std::size_t count(const std::vector<Alert>& alerts, const std::string& rule) {
    return static_cast<std::size_t>(std::count_if(
        alerts.begin(), alerts.end(), [&](const Alert& alert) { return alert.rule == rule; }));
  }
};
using Rules = RulesTest;

INSTANTIATE_TEST_SUITE_P(Both, Rules, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(Rules, APriceThatChangesByMoreThanHalfIsToldOfOnce) {
  table("products", "id integer primary key, price numeric(10,2)");
  table("accounts", "id integer primary key, balance integer");
  trail.as("ann", "insert into products values (1, 100), (2, 100)");
  trail.as("ann", "update products set price = 150 where id = 1");   // half, and not more
  trail.as("bob", "update products set price = 226 where id = 1");   // a bit more than half
  trail.as("bob", "update products set price = 1000 where id = 1");  // within the hour
  const auto alerts = raised(kSeeds);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].rule, "price-jump");
  EXPECT_EQ(alerts[0].severity, "high");
  EXPECT_EQ(alerts[0].group, R"({"table":"products","key":1})");
  EXPECT_EQ(alerts[0].title, trail.postgres()
                                 ? "products 1: price 150.00 → 226.00 (+50.7 %) by bob: null"
                                 : "products 1: price 150 → 226 (+50.7 %) by bob: null");
  EXPECT_EQ(alerts[0].id, raised(kSeeds)[0].id) << "asked again it is the same";
  EXPECT_EQ(alerts[0].id.size(), 16U);
}

// Six transfers, one of them of 500.00, and a balance that somebody wrote past capture.
TEST_P(Rules, TheBankIsToldOfEachOnce) {
  table("products", "id integer primary key, price integer");
  table("accounts", "id integer primary key, balance integer");
  trail.as("ann", "insert into accounts values (1, 100000), (2, 100000)");
  Context context;
  context.set("actor", "teller");
  context.set("business_process", "transfer");
  context.set("session_id", "s1");
  for (const int amount : {1000, 2000, 50000, 500, 100}) {
    auto scope = must(ContextScope::begin(trail.db(), context));
    trail.application(
        fmt::format("update accounts set balance = balance - {} where id = 1", amount));
    must(scope.commit());
  }
  forge("update accounts set balance = balance + 7 where id = 1");
  auto scope = must(ContextScope::begin(trail.db(), context));
  trail.application("update accounts set balance = balance - 50 where id = 1");
  must(scope.commit());
  const auto alerts = raised(kSeeds);
  EXPECT_EQ(alerts.size(), 3U);
  EXPECT_EQ(count(alerts, "high-value"), 1U);
  EXPECT_EQ(count(alerts, "high-frequency"), 1U);
  EXPECT_EQ(count(alerts, "balance-continuity"), 1U);
  for (const Alert& alert : alerts) {
    if (alert.rule == "high-value") {
      EXPECT_EQ(alert.title, "account 1: transfer of -50000 by teller, session s1");
    }
    if (alert.rule == "high-frequency") {
      EXPECT_EQ(alert.title, "accounts: 6 changes within the time, by teller at last");
    }
    if (alert.rule == "balance-continuity") {
      EXPECT_EQ(alert.title, "accounts 1: the old value is 46407, and the last change left 46400");
    }
  }
}

TEST_P(Rules, OfTheTrailsOwnTablesOnlyByName) {
  must(mark(trail.db(), "here", Moment(), false, Context()));
  const std::string every = "[[rule]]\nid = \"r\"\nmessage = \"{op} {table}\"\n";
  EXPECT_EQ(told(every + "select = \"op:insert -table:p\""), "");
  const std::string own = trail.postgres() ? "vestige.mark" : "vestige_mark";
  EXPECT_EQ(told(every + "select = \"table:" + own + "\""), "r: INSERT " + own + "\n");
}

TEST_P(Rules, NamesThatNoTableHasAreRefused) {
  const auto why = [&](const std::string& rule) {
    return error_of(engine_for(trail.db(), rules("[[rule]]\nid = \"r\"\n" + rule))).message;
  };
  EXPECT_NE(why("select = \"table:q\"").find("read vestige.toml:3:10: rule 'r': "),
            std::string::npos)
      << why("select = \"table:q\"");
  EXPECT_NE(why("select = \"table:p column:prise\"").find("prise"), std::string::npos);
  EXPECT_NE(why("kind = \"continuity\"\nselect = \"table:p\"\nfield = \"prise\"").find("prise"),
            std::string::npos);
}

TEST_P(Rules, AFailureIsAnAlert) {
  trail.as("ann", "update p set name = '{' where id = 1");
  trail.as("ann", "update p set name = '[' where id = 1");
  const auto alerts = raised(
      "[[rule]]\nid = \"r\"\nselect = \"table:p op:update column:name\"\n"
      "when = \"json_extract(new.name, '$.a') = 1\"\n");
  ASSERT_EQ(alerts.size(), 1U) << "once a day";
  EXPECT_EQ(alerts[0].kind, "broken");
  EXPECT_NE(alerts[0].title.find("rule r failed: evaluate: malformed JSON"), std::string::npos);
}

}  // namespace
}  // namespace vestige
