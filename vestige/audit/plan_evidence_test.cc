// [evidence] of vestige.toml: whom verify trusts.
#include <gtest/gtest.h>

#include "test/temporary_directory.h"
#include "test/tracked_shop.h"
#include "vestige/audit/plan.h"

namespace vestige {
namespace {

constexpr std::string_view kLog =
    "audit.example.com/shop+09c5d25b+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs";
constexpr std::string_view kW1 =
    "w1.example.org+b9b633dc+BNVCB9oZSXfc9Grb/sK8LnW1LVqKQhhP7f3AACTw4+ja";
constexpr std::string_view kW2 =
    "w2.example.org+bffabad6+BFEcNKGiy1Id8WuyRrjejnmXziNcfnayKj11A6JIGd2K";

PlanEvidence evidence(const std::string& text) {
  const TemporaryDirectory directory;
  const Plan plan = must(read_plan(directory.write("vestige.toml", text)));
  EXPECT_TRUE(plan.evidence.has_value());
  return plan.evidence.value_or(PlanEvidence());
}

std::string with_witnesses(std::string_view members) {
  return fmt::format("[evidence]\nvkey = '{}'\n[evidence.witnesses]\n{}\n", kLog, members);
}

TEST(PlanEvidence, HasKeysAndAQuorum) {
  const PlanEvidence read =
      evidence(with_witnesses(fmt::format("quorum = 2\nkeys = ['{} http://w1/', '{}']", kW1, kW2)));
  ASSERT_EQ(read.trust.keys.size(), 1U);
  EXPECT_EQ(to_vkey(read.trust.keys[0]), kLog);
  ASSERT_TRUE(read.trust.quorum.has_value());
  const merkle::Quorum& quorum = *read.trust.quorum;
  ASSERT_EQ(quorum.witnesses.size(), 2U);
  EXPECT_EQ(quorum.witnesses[0].url, "http://w1/");
  EXPECT_EQ(quorum.witnesses[1].url, "");
  EXPECT_EQ(quorum.needed, "2 of 2 witnesses");
  const merkle::NoteKey first = must(merkle::parse_vkey(kW1));
  const merkle::NoteKey second = must(merkle::parse_vkey(kW2));
  EXPECT_FALSE(quorum.reached({}));
  EXPECT_FALSE(quorum.reached({{first, 1}, {first, 2}})) << "one witness counts once";
  EXPECT_TRUE(quorum.reached({{second, 1}, {first, 2}}));
  EXPECT_EQ(read.policy, "");
}

TEST(PlanEvidence, HasAPolicyOrTheLogsKeyAlone) {
  EXPECT_EQ(evidence("[evidence]\npolicy = 'witness.policy'").policy, "witness.policy");
  const PlanEvidence keys = evidence(fmt::format("[evidence]\nvkey = ['{0}', '{0}']", kLog));
  EXPECT_EQ(keys.trust.keys.size(), 2U);
  EXPECT_FALSE(keys.trust.quorum.has_value());
}

TEST(PlanEvidence, SaysWhatIsWrongAndWhere) {
  struct Case {
    std::string text;
    std::string message;
    std::string hint;
  };
  const std::string one = fmt::format("keys = ['{}']\n", kW1);
  const Case cases[] = {
      {"evidence = 1", "read vestige.toml:1:12: 'evidence' must be a table", ""},
      {"[evidence]", "read vestige.toml:1:1: [evidence] names no key of the log",
       "vkey = \"…\", as vestige keygen printed it, or policy = \"FILE\""},
      {"[evidence]\nvkeys = 'x'", "read vestige.toml:2:1: unknown key 'vkeys'",
       "did you mean vkey?"},
      {"[evidence]\nvkey = 1", "read vestige.toml:2:8: 'vkey' must be an array of strings", ""},
      {"[evidence]\nvkey = 'x'",
       "read vestige.toml:2:8: read a public key (vkey): it is written name+id+key", ""},
      {fmt::format("[evidence]\nvkey = '{}'", kW1),
       "read vestige.toml:2:8: w1.example.org is the key of a witness, not of a log",
       "it belongs to `keys` of [evidence.witnesses]"},
      {"[evidence]\npolicy = []", "read vestige.toml:2:10: 'policy' must be a string", ""},
      {"[evidence]\npolicy = 'p'\n[evidence.witnesses]\nquorum = 1\n" + one,
       "read vestige.toml:1:1: policy and witnesses exclude each other",
       "keep one of them: a policy file has the witnesses and their quorum"},
      {"[evidence.witnesses]\nquorum = 1\n" + one,
       "read vestige.toml:1:1: [evidence] names no key of the log",
       "vkey = \"…\", as vestige keygen printed it, or policy = \"FILE\""},
      {with_witnesses(one + "quorun = 1"), "read vestige.toml:5:1: unknown key 'quorun'",
       "did you mean quorum?"},
      {with_witnesses(one), "read vestige.toml:3:1: [evidence.witnesses] has no 'quorum'",
       "keys = [\"VKEY\", …] are the witnesses, and quorum = 2 is how many must cosign"},
      {with_witnesses("quorum = 1"), "read vestige.toml:3:1: [evidence.witnesses] has no 'keys'",
       "keys = [\"VKEY\", …] are the witnesses, and quorum = 2 is how many must cosign"},
      {with_witnesses(one + "quorum = 'two'"), "read vestige.toml:5:10: 'quorum' must be a number",
       ""},
      {with_witnesses(one + "quorum = 2"),
       "read vestige.toml:5:10: a quorum of 2 cannot be reached by 1 witnesses",
       "it is a number from 1 up to the number of keys"},
      {with_witnesses(one + "quorum = 0"),
       "read vestige.toml:5:10: a quorum of 0 cannot be reached by 1 witnesses",
       "it is a number from 1 up to the number of keys"},
      {with_witnesses(fmt::format("quorum = 1\nkeys = ['{}']", kLog)),
       "read vestige.toml:5:9: audit.example.com/shop is the key of a log, not of a witness",
       "the log's key is `vkey` of [evidence]"},
      {with_witnesses("quorum = 1\nkeys = ['w1']"),
       "read vestige.toml:5:9: read a public key (vkey): it is written name+id+key", ""},
      {with_witnesses(fmt::format("quorum = 1\nkeys = ['{0}', '{0} http://w1/']", kW1)),
       fmt::format("read vestige.toml:5:{}: the key of w1.example.org stands twice",
                   9 + kW1.size() + 4),
       "a witness counts once: take one of them away"},
  };
  for (const Case& wrong : cases) {
    const TemporaryDirectory directory;
    const Error error = error_of(read_plan(directory.write("vestige.toml", wrong.text)));
    EXPECT_EQ(error.fault, Fault::invalid) << wrong.text;
    EXPECT_EQ(error.message, wrong.message);
    EXPECT_EQ(error.hint, wrong.hint) << wrong.text;
  }
}

}  // namespace
}  // namespace vestige
