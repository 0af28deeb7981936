#include "vestige/rules/rule_file.h"

#include <fstream>

#include "test/tracked_shop.h"
#include "vestige/base/time.h"
#include "vestige/rules/hours.h"
#include "vestige/rules/numbers.h"

namespace vestige {
namespace {

class RuleFileTest : public testing::Test {
 protected:
  Result<std::vector<Rule>> read(const std::string& text) {
    std::ofstream(directory.file("vestige.toml")) << text;
    return read_rules(TRY(read_toml(directory.file("vestige.toml"))), directory.file(""));
  }
  // What is wrong with a rule that is so, and its hint.
  std::string why(const std::string& text) {
    const auto rules = read("[[rule]]\nid = \"r\"\n" + text + "\n");
    return rules.has_value() ? "nothing" : rules.error().message + " | " + rules.error().hint;
  }
  TemporaryDirectory directory;
};
using RuleFile = RuleFileTest;

TEST_F(RuleFile, SaysWhatARuleIs) {
  std::ofstream(directory.file("holidays.txt")) << "2026-12-25  # Christmas\n\n 2027-01-01\r\n";
  const auto rules = must(read(R"(
[alerts]
timezone = "Europe/Berlin"
follow = "seal"
[notify.ops]
webhook = "https://hooks.example.com/"
[[rule]]
id = "price-jump"
select = "table:products column:price"
when = "new.price > old.price"
severity = "high"
message = "{table} {{}} {pct} {delta.price} {old.price}"
group_by = ["table", "context.tenant"]
realert = "1h"
notify = ["ops"]
inhibit = ["night"]
[[rule]]
id = "night"
kind = "off_hours"
hours = "Mon-Fri 07:00-19:00, Sat 22:00-06:00"
holidays = "holidays.txt"
[[rule]]
id = "much"
kind = "sum"
value = "new.price"
above = 1000.5
within = "2w"
)"));
  ASSERT_EQ(rules.size(), 3U);
  EXPECT_EQ(rules[0].zone, "Europe/Berlin");
  EXPECT_EQ(rules[0].realert, 3'600'000'000);
  EXPECT_EQ(rules[0].places.at("when"), "vestige.toml:10:8");
  EXPECT_EQ(rules[1].holidays, (std::vector<std::string>{"2026-12-25", "2027-01-01"}));
  EXPECT_EQ(rules[2].above, "1000.5");
  EXPECT_EQ(hash_of(rules[0]).size(), 32U);
  Rule other = rules[0];
  other.message = "x";
  other.severity = "low";
  EXPECT_EQ(hash_of(other), hash_of(rules[0])) << "its words decide nothing";
  other.when += " ";
  EXPECT_NE(hash_of(other), hash_of(rules[0]));
}

TEST_F(RuleFile, MistakesHaveTheirPlaces) {
  EXPECT_EQ(why("selekt = \"x\""),
            "read vestige.toml:3:1: unknown key 'selekt' | did you mean select?");
  EXPECT_EQ(why("kind = \"frequenzy\""),
            "read vestige.toml:3:8: 'frequenzy' is no kind of rule | did you mean frequency?");
  EXPECT_EQ(why("kind = \"bulk\""),
            "read vestige.toml:1:1: rule 'r': a rule of kind bulk has 'rows' | ");
  EXPECT_EQ(why("severity = \"hihg\""),
            "read vestige.toml:3:12: 'hihg' is no severity | did you mean high?");
  EXPECT_NE(why("when = \"prise = 1\"")
                .find("read vestige.toml:3:8: rule 'r': when: 'prise' names nothing"),
            std::string::npos);
  EXPECT_NE(why("group_by = [\"prise\"]").find("rule 'r': group_by: 'prise' names nothing"),
            std::string::npos);
  EXPECT_NE(why("message = \"{\"").find("message: a { is not closed"), std::string::npos);
  EXPECT_NE(why("message = \"}\"").find("message: a } closes nothing"), std::string::npos);
  EXPECT_NE(why("message = \"{pct}\"").find("{pct}: which column is meant is not said"),
            std::string::npos);
  EXPECT_NE(why("select = \"since:7d\"").find("since: is not for rules, which go on for ever"),
            std::string::npos);
  EXPECT_NE(why("select = \"nothing:7d\"").find("vestige.toml:3:10: "), std::string::npos);
  EXPECT_NE(why("notify = [\"ops\"]").find("there is no [notify.ops]"), std::string::npos);
  EXPECT_NE(why("inhibit = [\"s\"]").find("no rule is called 's'"), std::string::npos);
  EXPECT_NE(why("realert = \"soon\"").find("'soon' is no period | 90s, 15m, 1h, 30d, 2w"),
            std::string::npos);
  EXPECT_NE(why("kind = \"bulk\"\nrows = 0").find("'rows' is from 1 to 1000000"),
            std::string::npos);
  EXPECT_NE(why("kind = \"missing\"\nrequire = []").find("'require' names nothing"),
            std::string::npos);
  EXPECT_NE(why("kind = \"silent\"\nwithin = \"1h\"\ngroup_by = [\"key\"]")
                .find("silent has no groups: a rule for each"),
            std::string::npos);
  EXPECT_NE(why("kind = \"sum\"\nvalue = \"1\"\nwithin = \"1h\"\nabove = \"much\"")
                .find("'much' is no number"),
            std::string::npos);
  EXPECT_NE(
      why("kind = \"off_hours\"\nhours = \"Mon 7-19\"").find("hours: 'Mon 7-19' are no hours"),
      std::string::npos);
  EXPECT_NE(why("kind = \"off_hours\"\nhours = \"Mon 07:00-19:00\"\nholidays = [\"2026-02-30\"]")
                .find("'2026-02-30' is no date: 2026-12-25"),
            std::string::npos);
  EXPECT_NE(why("kind = \"off_hours\"\nhours = \"Mon 07:00-19:00\"\nholidays = \"none.txt\"")
                .find("none.txt"),
            std::string::npos);
  const std::string from = "kind = \"off_hours\"\nhours = \"Mon 07:00-19:00\"\nholidays = ";
  EXPECT_EQ(why(from + "\"/dev/zero\""),
            "read vestige.toml:5:12: read /dev/zero: it is no file | ");
  std::ofstream(directory.file("long.txt")) << std::string((1 << 20) + 1, '\n');
  EXPECT_NE(why(from + "\"long.txt\"").find("more than 1048576 bytes are no list of dates"),
            std::string::npos);
  EXPECT_NE(why("[[rule]]\nid = \"r\"").find("two rules are called 'r'"), std::string::npos);
  EXPECT_NE(why("[[rule]]\nkind = \"match\"").find("a rule without an id"), std::string::npos);
  EXPECT_NE(why("[[rule]]\nid = \"a b\"").find("an id has letters, digits"), std::string::npos);
  EXPECT_NE(why("[alerts]\ntimezone = \"Europe/Berlim\"").find("vestige.toml:4:12"),
            std::string::npos);
  EXPECT_NE(why("[alerts]\nfollow = \"clock\"").find("what is followed is the order of the seal"),
            std::string::npos);
  EXPECT_NE(why("[alerts]\ntimezones = 1").find("did you mean timezone?"), std::string::npos);
}

// 2026: clocks go forward on 29 March at 01:00 UTC in Europe, on 8 March at 07:00 UTC in New York; Auckland's go back on 5 April.
TEST(Hours, GoByTheClockOfThePlace) {
  const auto within = [](const std::string& zone, const std::string& at, const std::string& hours,
                         const std::vector<std::string>& holidays = {}) {
    const TimeZone place = must(TimeZone::named(zone));
    return must(Hours::parse(hours, holidays)).within(local_time(must(read_time(at)), place));
  };
  const std::string day = "Mon-Fri 07:00-19:00";
  EXPECT_FALSE(within("Europe/Berlin", "2026-03-27T05:59:59.999999Z", day));
  EXPECT_TRUE(within("Europe/Berlin", "2026-03-27T06:00:00.000000Z", day)) << "Friday, winter";
  EXPECT_TRUE(within("Europe/Berlin", "2026-03-30T05:00:00.000000Z", day)) << "Monday, summer";
  EXPECT_FALSE(within("Europe/Berlin", "2026-03-30T17:00:00.000000Z", day));
  EXPECT_FALSE(within("Europe/Berlin", "2026-03-28T10:00:00.000000Z", day)) << "Saturday";
  EXPECT_TRUE(within("America/New_York", "2026-03-09T11:00:00.000000Z", day));
  EXPECT_FALSE(within("America/New_York", "2026-03-06T11:00:00.000000Z", day)) << "06:00 in winter";
  EXPECT_TRUE(within("Pacific/Auckland", "2026-04-02T18:30:00.000000Z", day)) << "Friday 07:30";
  EXPECT_FALSE(within("Pacific/Auckland", "2026-04-05T18:30:00.000000Z", day)) << "Monday 06:30";
  // The hour that comes twice, and the night of the change, in which an hour is missing.
  EXPECT_TRUE(within("Europe/Berlin", "2026-10-25T00:30:00.000000Z", "Sun 02:00-03:00"));
  EXPECT_TRUE(within("Europe/Berlin", "2026-10-25T01:30:00.000000Z", "Sun 02:00-03:00"));
  EXPECT_FALSE(within("Europe/Berlin", "2026-10-25T02:00:00.000000Z", "Sun 02:00-03:00"));
  EXPECT_FALSE(within("Europe/Berlin", "2026-03-29T01:00:00.000000Z", "Sun 02:00-03:00"));
  EXPECT_FALSE(within("America/New_York", "2026-11-01T07:30:00.000000Z", "Sun 01:00-02:00"));
  EXPECT_TRUE(within("America/New_York", "2026-11-01T06:30:00.000000Z", "Sun 01:00-02:00"));
  // Over midnight, and holidays.
  EXPECT_TRUE(within("UTC", "2026-03-28T23:00:00.000000Z", "Sat 22:00-06:00"));
  EXPECT_TRUE(within("UTC", "2026-03-29T05:59:00.000000Z", "Sat 22:00-06:00"));
  EXPECT_FALSE(within("UTC", "2026-03-29T06:00:00.000000Z", "Sat 22:00-06:00"));
  EXPECT_FALSE(within("UTC", "2026-03-29T05:00:00.000000Z", "Sat 22:00-06:00", {"2026-03-28"}));
  EXPECT_FALSE(within("UTC", "2026-12-25T12:00:00.000000Z", day, {"2026-12-25"}));
  EXPECT_TRUE(within("UTC", "2026-12-20T23:59:59.000000Z", "Sun-Mon 00:00-24:00"));
}

TEST(RuleFunctions, KnowNetsAndPlaces) {
  EXPECT_EQ(in_net("10.1.2.3", "10.0.0.0/8"), std::optional(true));
  EXPECT_EQ(in_net("11.1.2.3", "10.0.0.0/8"), std::optional(false));
  EXPECT_EQ(in_net("10.1.2.3", "10.1.2.0/23"), std::optional(true));
  EXPECT_EQ(in_net("10.1.4.3", "10.1.2.0/23"), std::optional(false));
  EXPECT_EQ(in_net("::ffff:10.1.2.3", "10.0.0.0/8"), std::optional(true)) << "the same address";
  EXPECT_EQ(in_net("2001:db8::1", "2001:db8::/32"), std::optional(true));
  EXPECT_EQ(in_net("2001:db9::1", "2001:db8::/32"), std::optional(false));
  EXPECT_EQ(in_net("10.1.2.3", "::/0"), std::optional(false)) << "of another kind";
  EXPECT_EQ(in_net("10.1.2.3", "0.0.0.0/0"), std::optional(true));
  EXPECT_EQ(in_net("10.1.2.3", "10.1.2.3"), std::optional(true));
  for (const char* net : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8", "x", ""})
    EXPECT_FALSE(in_net("10.1.2.3", net).has_value()) << net;
  EXPECT_FALSE(in_net("10.1.2", "10.0.0.0/8").has_value());
  const TimeZone zone = must(TimeZone::named("Europe/Berlin"));
  const auto functions = rule_functions(zone);
  const std::vector<Value> at = {Text{"2026-03-29T01:00:00.000000Z"}};
  EXPECT_EQ(functions[2].call(functions[2].with, at), Value(std::int64_t{3}));
  EXPECT_EQ(functions[3].call(functions[3].with, at), Value(std::int64_t{7}));
  const std::vector<Value> grown = {std::int64_t{-10}, Token{"-5.0"}};
  EXPECT_EQ(functions[0].call(nullptr, grown), Value(50.0));
  const std::vector<Value> nothing = {std::int64_t{0}, std::int64_t{1}};
  EXPECT_EQ(functions[0].call(nullptr, nothing), Value(Null{}));
}

}  // namespace
}  // namespace vestige
