// Signed contexts by themselves: what is refused when one is made. What is read: test/vectors_test.cc.
#include "vestige/privacy/signed_context.h"

#include <gtest/gtest.h>

namespace vestige {
namespace {

Result<std::string> made(const std::string& origin, const Context& context, std::int64_t lifetime,
                         const std::string& nonce = {}) {
  const PrivateKey key = PrivateKey::from_seed(std::string(32, 'k')).value();
  return sign_context(key, "shop", origin, context, 1'790'000'000, lifetime, nonce);
}

TEST(SignedContext, IsNotMadeWhereNobodyCouldReadIt) {
  Context context;
  context.set("actor", "ann");
  ASSERT_TRUE(made("log.example/p", context, 240).has_value());
  EXPECT_NE(made("two words", context, 240)
                .error()
                .message.find("read the signature of a context: it has six words"),
            std::string::npos);
  EXPECT_NE(made("log+p", context, 240).error().message.find("that is no name"), std::string::npos);
  EXPECT_NE(made("log.example/p", context, 90000).error().message.find("lasts for more than a day"),
            std::string::npos);
  EXPECT_NE(
      made("log.example/p", context, 240, "short").error().message.find("a nonce that is none"),
      std::string::npos);
  context.set("reason", "\xff");
  EXPECT_NE(made("log.example/p", context, 240)
                .error()
                .message.find("sign a context: a field is not UTF-8"),
            std::string::npos);
}

TEST(SignedContext, SaysWhatOfAFieldIsWrong) {
  const auto why = [](std::string_view field) {
    return parse_context_signature(field).error().message;
  };
  EXPECT_NE(why("a b x 2 0123456789abcdef AAAA").find("a time that is no number"),
            std::string::npos);
  EXPECT_NE(why("a b 1 2 0123456789abcdef AAAA").find("no base64 of 64 bytes"), std::string::npos);
}

TEST(SignedContext, ANonceSaysHowManyAndWhich) {
  ContextSignature one;
  one.nonce = "0123456789abcdef*7";
  EXPECT_EQ(one.uses(), 7);
  EXPECT_EQ(one.bound_to(), "");
  one.nonce = "x4711.0123456789abcdef";
  EXPECT_EQ(one.uses(), 1);
  EXPECT_EQ(one.bound_to(), "4711");
}

}  // namespace
}  // namespace vestige
