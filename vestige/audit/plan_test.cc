#include "vestige/audit/plan.h"

#include "test/tracked_shop.h"

namespace vestige {
namespace {

Error refusal(std::string_view text) {
  const TemporaryDirectory directory;
  return error_of(read_plan(directory.write("vestige.toml", text)));
}

Plan read(std::string_view text) {
  const TemporaryDirectory directory;
  return must(read_plan(directory.write("vestige.toml", text)));
}

std::vector<std::string> texts(const std::vector<PlanStep>& steps) {
  std::vector<std::string> out;
  for (const PlanStep& step : steps) out.push_back(step.text);
  return out;
}

using Texts = std::vector<std::string>;

TEST(ReadPlan, ReadsEveryMember) {
  const Plan plan = read(R"(
database = "shop.db"
[retention]
finance = "7 years"
short = "90 days"
always = "forever"
[tables.products]
exclude = ["updated_at", "note"]
when = "NEW.price > 0"
require = ["actor", "reason"]
key = ["sku"]
capture = "full"
retention = "finance"
classification = "internal"
tags = ["SOX", "GDPR"]
[tables."order lines"]
include = ["amount"]
[tables.plain]
)");
  EXPECT_EQ(plan.database, "shop.db");
  EXPECT_EQ(plan.retention,
            (std::map<std::string, RetentionClass>{{"finance", {"finance", "7 years"}},
                                                   {"short", {"short", "90 days"}},
                                                   {"always", {"always", "forever"}}}));
  ASSERT_EQ(plan.tables.size(), 3U);
  Policy products;
  products.exclude = {"updated_at", "note"};
  products.when = "NEW.price > 0";
  products.require = {"actor", "reason"};
  products.key = {"sku"};
  products.full = true;
  products.retention = "finance";
  products.classification = "internal";
  products.tags = {"SOX", "GDPR"};
  EXPECT_EQ(plan.tables.at("products"), products);
  EXPECT_EQ(plan.tables.at("order lines").include, Texts{"amount"});
  EXPECT_EQ(plan.tables.at("plain"), Policy());
  EXPECT_EQ(plan.places.at("tables.products"), "vestige.toml:7:9");
  EXPECT_EQ(plan.places.at("tables.products.exclude.1"), "vestige.toml:8:26");
}

TEST(ReadPlan, SaysWhatIsWrongAndWhere) {
  struct Case {
    std::string_view text;
    std::string_view message;
    std::string_view hint;
  };
  const Case cases[] = {
      {"database = 5", "read vestige.toml:1:12: 'database' must be a string", ""},
      {"databse = \"x\"", "read vestige.toml:1:1: unknown key 'databse'", "did you mean database?"},
      {"zzzzzzzz = 1", "read vestige.toml:1:1: unknown key 'zzzzzzzz'",
       "known are access, alerts, archive, console, context, database, evidence, hold, keys, "
       "notify, "
       "report, "
       "retention, review, rule, tables"},
      {"[console.users]\nann = \"\"", "read vestige.toml:2:7: the role of 'ann' is empty",
       "name the role of the database whose rights they have"},
      {"[console]\nuser = 1", "read vestige.toml:2:1: unknown key 'user'", "did you mean users?"},
      {"retention = 1", "read vestige.toml:1:13: 'retention' must be a table", ""},
      {"[retention]\na = \"soon\"", "read vestige.toml:2:5: 'soon' is no period",
       "write it as \"90 days\", \"18 months\", \"7 years\" or \"forever\""},
      {"[retention]\na = \"0 days\"", "read vestige.toml:2:5: '0 days' is no period",
       "write it as \"90 days\", \"18 months\", \"7 years\" or \"forever\""},
      {"[retention]\na = \" days\"", "read vestige.toml:2:5: ' days' is no period",
       "write it as \"90 days\", \"18 months\", \"7 years\" or \"forever\""},
      {"[retention]\na = {}", "read vestige.toml:2:5: class 'a' has no 'keep'",
       "keep = \"7 years\""},
      {"[retention]\na = { keep = \"7 years\", hot = \"soon\", archive = true }",
       "read vestige.toml:2:31: 'soon' is no period",
       "write it as \"90 days\", \"18 months\", \"7 years\" or \"forever\""},
      {"[retention]\na = { keep = \"7 years\", hot = \"1 year\" }",
       "read vestige.toml:2:31: what is not archived is kept in the database alone",
       "archive = true"},
      {"[retention]\na = 7", "read vestige.toml:2:5: 'a' must be a string", ""},
      {"[keys.phi]", "read vestige.toml:1:7: [keys.phi] has no 'recipient'",
       "recipient = \"age1…\", as vestige keys generate printed it"},
      {"[keys.phi]\nrecipient = \"x\"\nrecipients = []",
       "read vestige.toml:3:1: recipient and recipients exclude each other",
       "keep one of them: recipients says of each key when it begins"},
      {"[keys.phi]\nrecipients = []", "read vestige.toml:2:14: recipients is no list of recipients",
       "recipients = [{ key = \"age1…\" }, { key = \"age1…\", from = \"2026-12\" }]"},
      {"[keys.phi]\nrecipients = [\"age1\"]", "read vestige.toml:2:15: a recipient is a table",
       "recipients = [{ key = \"age1…\", from = \"2026-12\" }]"},
      {"[keys.phi]\nrecipients = [{ from = \"2026-12\" }]",
       "read vestige.toml:2:15: a recipient has no 'key'",
       "key = \"age1…\", as vestige keys generate printed it"},
      {"[keys.phi]\nrecipient = \"age1x\"",
       "read vestige.toml:2:13: read a recipient: it is none of age", ""},
      {"[keys.\"p h\"]\nrecipient = \"age1x\"", "read vestige.toml:2:13: 'p h' is no class of keys",
       "letters, digits, dots, - and _, 63 at most, a letter or digit first"},
      {"[tables.x]\nencrypt = { ssn = \"p h\" }",
       "read vestige.toml:2:19: 'p h' is no class of keys",
       "letters, digits, dots, - and _, 63 at most, a letter or digit first"},
      {"tables = []", "read vestige.toml:1:10: 'tables' must be a table", ""},
      {"[tables]\nx = 1", "read vestige.toml:2:5: 'x' must be a table", ""},
      {"[tables.x]\nexlude = []", "read vestige.toml:2:1: unknown key 'exlude'",
       "did you mean exclude?"},
      {"[tables.x]\nexclude = \"a\"",
       "read vestige.toml:2:11: 'exclude' must be an array of strings", ""},
      {"[tables.x]\ntags = [1]", "read vestige.toml:2:9: 'tags' must be a string", ""},
      {"[tables.x]\ncapture = \"ful\"", "read vestige.toml:2:11: 'ful' is no way to capture",
       "did you mean full?"},
      {"[tables.x]\ninclude = [\"a\"]\nexclude = [\"b\"]",
       "read vestige.toml:1:1: include and exclude exclude each other",
       "keep one of them: include names the recorded columns, exclude all others"},
      {"[retention]\nfinance = \"7 years\"\n[tables.x]\nretention = \"finanse\"",
       "read vestige.toml:4:13: no retention is named 'finanse'", "did you mean finance?"},
      {"[tables.x]\nretention = \"finance\"",
       "read vestige.toml:2:13: no retention is named 'finance'", "name it under [retention]"},
  };
  for (const Case& one : cases) {
    const Error error = refusal(one.text);
    EXPECT_EQ(error.fault, Fault::invalid) << one.text;
    EXPECT_EQ(error.message, one.message);
    EXPECT_EQ(error.hint, one.hint) << one.text;
  }
}

TEST(ReadPlan, SaysWhereTomlIsBroken) {
  const Error error = refusal("[tables.x]\nexclude = [\"a\"\n");
  EXPECT_EQ(error.fault, Fault::invalid);
  EXPECT_TRUE(error.message.starts_with("read vestige.toml:")) << error.message;
}

TEST(ReadPlan, SaysWhereAHeaderHasNoName) {
  for (const char* header : {"[[[", "[+x]", " [ [ ]", "[öl]", "[.a]", "[[ \t", "[]"})
    EXPECT_EQ(refusal(fmt::format("database = 'x'\n{}\n", header)).message,
              "read vestige.toml:2: a [header] without a name")
        << header;
  const TemporaryDirectory directory;
  const std::string inside = "[tables.t]\nwhen = \"\"\"\n[+\n\"\"\"\n[ 'tables' . \"größe\" ]\n";
  EXPECT_EQ(must(read_plan(directory.write("vestige.toml", inside))).tables.size(), 2U);
}

TEST(ReadPlan, SaysThatTheFileIsNotThere) {
  const TemporaryDirectory directory;
  const Error error = error_of(read_plan(directory.file("vestige.toml")));
  EXPECT_EQ(error.fault, Fault::missing);
  EXPECT_EQ(error.message, "read " + directory.file("vestige.toml") + ": no such file");
  EXPECT_EQ(error_of(read_plan(directory.path().string())).message,
            "read " + directory.path().string() + ": not a file");
}

// A prefix of a plan is read or refused, never more.
TEST(ReadPlan, SurvivesEveryCut) {
  const std::string text =
      "database = \"a\"\n[retention]\nf = \"7 years\"\n[tables.x]\nkey = [\"é\", 'b']\nretention = "
      "\"f\"\n";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const TemporaryDirectory directory;
    static_cast<void>(read_plan(directory.write("vestige.toml", text.substr(0, length))));
  }
}

class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    shop_.run(
        "create table products (id integer primary key, name text, price, updated_at);"
        "create table orders (id integer primary key, product integer);"
        "create table notes (text)");
  }

  Texts planned(const Plan& wanted) { return texts(must(plan(shop_.db(), wanted))); }
  Texts applied(const Plan& wanted) { return texts(must(apply(shop_.db(), wanted))); }

  Shop shop_;
};

TEST_F(PlanTest, InstallsAndTracksInADatabaseWithoutATrail) {
  const Plan wanted = read(
      "[retention]\nfinance = \"7 years\"\n"
      "[tables.products]\nexclude = [\"updated_at\"]\ntags = [\"SOX\"]\n[tables.orders]\n");
  const Texts expected = {"install the trail", "retention finance: 7 years", "track orders",
                          "track products: exclude updated_at; tags SOX"};
  EXPECT_EQ(planned(wanted), expected);
  EXPECT_EQ(must(installed_version(shop_.db())), 0) << "plan changes nothing";
  EXPECT_EQ(applied(wanted), expected);
  EXPECT_EQ(planned(wanted), Texts());
  EXPECT_EQ(applied(wanted), Texts());
  shop_.run("insert into products values (1, 'ink', 5, 'now')");
  EXPECT_EQ(shop_.changes(), "INSERT {\"id\":1} {\"id\":1,\"name\":\"ink\",\"price\":5}\n");
}

TEST_F(PlanTest, ShowsWhatAPolicyWasAndWillBe) {
  must(apply(shop_.db(), read("[retention]\nold = \"1 year\"\nkept = \"5 years\"\n"
                              "[tables.products]\nexclude = [\"updated_at\"]\ntags = [\"SOX\"]\n"
                              "[tables.notes]\n")));
  Plan wanted = read(
      "[retention]\nkept = { keep = \"7 years\", hot = \"1 year\", archive = true }\nnew = \"90 "
      "days\"\n"
      "[tables.products]\ncapture = \"full\"\ntags = [\"SOX\", \"GDPR\"]\nretention = \"kept\"\n"
      "require = [\"actor\"]\n[tables.orders]\nwhen = \"NEW.product > 0\"\n");
  const Texts expected = {
      "retention kept: 5 years → 7 years, of it 1 year in the database, then archived",
      "retention new: 90 days",
      "retention old: remove (1 year)",
      "track orders: when NEW.product > 0",
      "change products: exclude updated_at → none; require none → actor; capture changes → full;"
      " retention none → kept; tags SOX → GDPR, SOX",
      "untrack notes (its history stays)",
  };
  Texts kept = expected;
  kept[2] = "retention old (1 year) is not in the plan";
  kept[5] = "notes is tracked, and is not in the plan";
  EXPECT_EQ(planned(wanted), kept);
  EXPECT_EQ(applied(wanted), kept);
  EXPECT_EQ(planned(wanted), (Texts{kept[2], kept[5]}));
  EXPECT_EQ(shop_.rows("select name from vestige_table where untracked_at is null order by name"),
            "notes\norders\nproducts\n");
  wanted.prune = true;
  EXPECT_EQ(applied(wanted), (Texts{expected[2], expected[5]}));
  EXPECT_EQ(planned(wanted), Texts());
  EXPECT_EQ(shop_.rows("select name, keep from vestige_retention"), "kept|7 years\nnew|90 days\n");
}

TEST_F(PlanTest, WarnsOfATableWhoseClassHasNoTime) {
  must(apply(shop_.db(), read("[tables.products]\n")));
  Policy policy;
  policy.retention = "lost";
  must(track(shop_.db(), "products", policy));
  const std::string warning =
      "products: its class of retention, lost, has no time: nothing expires";
  EXPECT_EQ(planned(read("")), (Texts{"products is tracked, and is not in the plan", warning}));
  EXPECT_EQ(planned(read("[retention]\nlost = \"1 year\"\n")),
            (Texts{"retention lost: 1 year", "products is tracked, and is not in the plan"}));
  EXPECT_EQ(planned(read("[tables.products]\n")),
            (Texts{"change products: retention lost → none"}));
}

TEST_F(PlanTest, AnOlderTrailHasNoClassesThatAreArchived) {
  must(apply(shop_.db(), read("[retention]\na = \"1 year\"\n")));
  must(shop_.db().script(
      "alter table vestige_retention drop column archive; alter table vestige_retention drop"
      " column hot"));
  EXPECT_EQ(applied(read("[retention]\na = \"2 years\"\n")),
            Texts{"retention a: 1 year → 2 years"});
  const Plan archived = read("[retention]\na = { keep = \"1 year\", archive = true }\n");
  EXPECT_EQ(error_of(apply(shop_.db(), archived)).message,
            "retention a: this trail is older and archives nothing");
  must(install(shop_.db()));
  EXPECT_EQ(applied(archived), Texts{"retention a: 2 years → 1 year, then archived"});
}

TEST_F(PlanTest, StepsCarryTheirActionAndTable) {
  const auto steps =
      must(plan(shop_.db(), read("[retention]\na = \"1 day\"\n[tables.products]\n")));
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0].action, "install");
  EXPECT_EQ(steps[0].table, "");
  EXPECT_EQ(steps[1].action, "retention");
  EXPECT_EQ(steps[2].action, "track");
  EXPECT_EQ(steps[2].table, "products");
}

TEST_F(PlanTest, OrderAndSpellingDoNotMakeADifference) {
  must(apply(shop_.db(),
             read("[tables.products]\nexclude = [\"price\", \"name\"]\ntags = [\"b\", \"a\"]\n")));
  EXPECT_EQ(
      planned(read("[tables.PRODUCTS]\nexclude = [\"Name\", \"PRICE\"]\ntags = [\"a\", \"b\"]\n")),
      Texts());
}

TEST_F(PlanTest, ATableThatWasUntrackedIsTrackedAgainWithItsHistory) {
  const Plan wanted = read("[tables.products]\n");
  must(apply(shop_.db(), wanted));
  shop_.run("insert into products values (1, 'ink', 5, null)");
  Plan nothing = read("");
  nothing.prune = true;
  must(apply(shop_.db(), nothing));
  EXPECT_EQ(applied(wanted), Texts{"track products"});
  EXPECT_EQ(shop_.rows("select count(*) from vestige_table"), "1\n");
}

TEST_F(PlanTest, SaysWhereATableOrColumnIsNamedThatIsNotThere) {
  const Error table = error_of(plan(shop_.db(), read("\n[tables.prodcts]\n")));
  EXPECT_EQ(table.fault, Fault::missing);
  EXPECT_EQ(table.message,
            "plan vestige.toml:2:9: there is no table 'prodcts' that can be tracked");
  EXPECT_EQ(table.hint, "did you mean products?");
  const Error column =
      error_of(apply(shop_.db(), read("[tables.products]\nexclude = [\"name\", \"pricee\"]\n")));
  EXPECT_EQ(column.fault, Fault::invalid);
  EXPECT_EQ(column.message, "plan vestige.toml:2:20: products has no column 'pricee'");
  EXPECT_EQ(column.hint, "did you mean price?");
  const Error encrypted =
      error_of(plan(shop_.db(), read("[tables.products]\nencrypt = { pricee = \"phi\" }\n")));
  EXPECT_EQ(encrypted.message, "plan vestige.toml:2:13: products has no column 'pricee'");
  EXPECT_EQ(encrypted.hint, "did you mean price?");
  EXPECT_EQ(must(installed_version(shop_.db())), 0) << "apply changed nothing";
  Plan without_file;
  without_file.tables["nowhere at all"] = {};
  EXPECT_EQ(error_of(plan(shop_.db(), without_file)).message,
            "plan: there is no table 'nowhere at all' that can be tracked");
}

TEST_F(PlanTest, RefusesATableThatIsNamedTwice) {
  const Error error = error_of(plan(shop_.db(), read("[tables.Products]\n[tables.products]\n")));
  EXPECT_EQ(error.fault, Fault::invalid);
  EXPECT_EQ(error.message, "plan vestige.toml:2:9: table products is named twice");
}

TEST_F(PlanTest, ApplyDoesEverythingOrNothing) {
  must(apply(shop_.db(), read("[tables.orders]\n")));
  // The key is not unique: tracking products fails after orders was to be changed.
  const Plan wanted = read(
      "[retention]\nr = \"1 day\"\n[tables.orders]\ntags = [\"x\"]\n[tables.products]\nkey = "
      "[\"name\"]\n");
  EXPECT_FALSE(apply(shop_.db(), wanted).has_value());
  EXPECT_EQ(planned(read("[tables.orders]\n")), Texts());
}

TEST_F(PlanTest, RefusesATrailOfAnotherVersion) {
  shop_.with_trail().run("update vestige_meta set value = 99 where name = 'schema_version'");
  EXPECT_EQ(error_of(plan(shop_.db(), Plan())).fault, Fault::invalid);
}

}  // namespace
}  // namespace vestige
