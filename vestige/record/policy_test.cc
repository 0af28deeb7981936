#include "vestige/record/policy.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "test/generators.h"
#include "vestige/record/cleared.h"

namespace vestige {
namespace {

constexpr std::string_view kEverything =
    R"({"include":["id","price"],"exclude":["secret"],"redact":["card"],"encrypt":{"name":"p","ssn":"phi"},)"
    R"("when":"new.price is not old.price","require":["actor","reason"],"key":["id"],"capture":"full","retention":"7 years",)"
    R"("classification":"phi","tags":["a","b \"c\""]})";

TEST(Policy, LeavesOutWhatIsDefault) {
  EXPECT_EQ(to_json(Policy{}), "{}");
  EXPECT_EQ(*policy_from_json("{}"), Policy{});
  EXPECT_EQ(*policy_from_json(R"({"include":[],"when":"","tags":[]})"), Policy{});
}

TEST(Policy, ReadsBackEveryMember) {
  const auto policy = policy_from_json(kEverything);
  ASSERT_TRUE(policy.has_value());
  EXPECT_EQ(policy->include, (std::vector<std::string>{"id", "price"}));
  EXPECT_EQ(policy->exclude, std::vector<std::string>{"secret"});
  EXPECT_EQ(policy->redact, std::vector<std::string>{"card"});
  EXPECT_EQ(policy->encrypt, (std::map<std::string, std::string>{{"name", "p"}, {"ssn", "phi"}}));
  EXPECT_EQ(policy->when, "new.price is not old.price");
  EXPECT_EQ(policy->require, (std::vector<std::string>{"actor", "reason"}));
  EXPECT_EQ(policy->key, std::vector<std::string>{"id"});
  EXPECT_TRUE(policy->full);
  EXPECT_EQ(policy->retention, "7 years");
  EXPECT_EQ(policy->classification, "phi");
  EXPECT_EQ(policy->tags, (std::vector<std::string>{"a", "b \"c\""}));
  EXPECT_EQ(to_json(*policy), kEverything);
}

TEST(Policy, WhatIsRedactedNoLongerIsInClear) {
  Policy before;
  before.redact = {"card", "Cvv", "note", "ssn"};
  Policy after;
  after.redact = {"card"};
  after.exclude = {"note"};
  after.encrypt = {{"ssn", "phi"}};
  EXPECT_EQ(cleared(before, after, false), std::vector<std::string>{"Cvv"});
  after.redact = {"card", "cvv"};
  EXPECT_EQ(cleared(before, after, true), std::vector<std::string>());
  EXPECT_EQ(cleared(before, after, false), std::vector<std::string>{"Cvv"});
  EXPECT_EQ(cleared(after, before, false), std::vector<std::string>{"cvv"});
  after.exclude.clear();
  after.include = {"name"};
  EXPECT_EQ(cleared(before, after, false), std::vector<std::string>());
  after.include = {"name", "note"};
  after.key = {"Cvv"};
  EXPECT_EQ(cleared(before, after, false), (std::vector<std::string>{"Cvv", "note"}));
  Policy encrypting;
  encrypting.encrypt = {{"ssn", "phi"}, {"born", "phi"}};
  Policy other = encrypting;
  other.encrypt = {{"SSN", "hr"}};
  EXPECT_EQ(cleared(encrypting, other, true), std::vector<std::string>{"born"});
  EXPECT_EQ(cleared(encrypting, Policy(), false), (std::vector<std::string>{"born", "ssn"}));
}

TEST(Policy, RefusesWhatIsNoPolicy) {
  const struct {
    std::string_view text;
    std::string_view message;
  } cases[] = {
      {"", "read json: object expected at byte 0"},
      {"[]", "read json: object expected at byte 0"},
      {R"({"includes":["id"]})", "read a policy: unknown member 'includes'"},
      {R"({"include":"id"})", "read json: array expected at byte 0"},
      {R"({"include":[1]})", "read json: string expected at byte 0"},
      {R"({"encrypt":["ssn"]})", "read json: object expected at byte 0"},
      {R"({"encrypt":{"ssn":1}})", "read json: string expected at byte 0"},
      {R"({"when":1})", "read json: string expected at byte 0"},
      {R"({"capture":"most"})", "read a policy: capture is 'most', not 'changes' or 'full'"},
      {"{} x", "read json: text after the value at byte 3"},
  };
  for (const auto& [text, message] : cases) {
    const auto policy = policy_from_json(text);
    ASSERT_FALSE(policy.has_value()) << text;
    EXPECT_EQ(policy.error().fault, Fault::invalid) << text;
    EXPECT_EQ(policy.error().message, message) << text;
  }
}

TEST(Policy, CutAnywhereIsRefused) {
  for (std::size_t size = 0; size < kEverything.size(); ++size)
    EXPECT_FALSE(policy_from_json(kEverything.substr(0, size)).has_value()) << size;
}

RC_GTEST_PROP(Policy, ReadsBackTheSame, ()) {
  const auto list = [] { return *rc::gen::container<std::vector<std::string>>(any_utf8()); };
  Policy policy;
  policy.include = list();
  policy.exclude = list();
  policy.redact = list();
  for (const std::string& column : list()) policy.encrypt[column] = "k" + *any_utf8();
  policy.subject = *any_utf8();
  policy.when = *any_utf8();
  policy.require = list();
  policy.key = list();
  policy.full = *rc::gen::arbitrary<bool>();
  policy.retention = *any_utf8();
  policy.classification = *any_utf8();
  policy.tags = list();
  const auto again = policy_from_json(to_json(policy));
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == policy);
}

}  // namespace
}  // namespace vestige
