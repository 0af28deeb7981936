// [context] of vestige.toml: what it may say, and what is wrong with what it may not.
#include "vestige/privacy/signers_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "test/temporary_directory.h"
#include "vestige/base/time.h"

namespace vestige {
namespace {

class SignersFile : public testing::Test {
 protected:
  Result<std::optional<ContextSigners>> read(const std::string& text) {
    const std::string file = directory_.file("vestige.toml");
    std::ofstream(file) << text;
    return read_context_signers(read_toml(file).value());
  }
  std::string wrong(const std::string& text) {
    const auto read_it = read(text);
    return read_it.has_value() ? "" : read_it.error().message;
  }
  static std::string vkey(const std::string& name, merkle::KeyKind kind = merkle::KeyKind::log) {
    return merkle::to_vkey(
        merkle::NoteSigner::make(name, kind, std::string(32, 'k')).value().key());
  }
  TemporaryDirectory directory_;
};

TEST_F(SignersFile, SaysWhoSignsForWhomAndHowLong) {
  const auto all = read(
      "[context]\norigin = \"log.example/p\"\nsince = 2026-12-01\n[context.signers]\n"
      "shop = { key = \"" +
      vkey("shop") +
      "\", actors = \"*\", not_after = 2027-06-01 }\n"
      "batch = { key = [\"" +
      vkey("batch") + "\"], actors = [\"svc-*\", \"job\"] }\n");
  ASSERT_TRUE(all.has_value()) << all.error().message;
  const ContextSigners& signers = all->value();
  EXPECT_EQ(signers.origin, "log.example/p");
  EXPECT_EQ(format_time(*signers.since), "2026-12-01T00:00:00.000000Z");
  ASSERT_EQ(signers.signers.size(), 2U);
  EXPECT_EQ(signers.signers[0].keys[0].name, "batch");
  EXPECT_EQ(signers.signers[0].actors, (std::vector<std::string>{"svc-*", "job"}));
  EXPECT_EQ(format_time(*signers.signers[1].not_after), "2027-06-01T00:00:00.000000Z");
  EXPECT_FALSE(read("database = \"shop.db\"\n")->has_value());
}

TEST_F(SignersFile, SaysWhatIsWrong) {
  EXPECT_NE(wrong("[context]\n").find("[context] names no signer"), std::string::npos);
  EXPECT_NE(wrong("[context.signers]\nshop = {}\n").find("the signer shop has no key"),
            std::string::npos);
  EXPECT_NE(wrong("[context.signers]\nshop = { key = \"x\" }\n").find("read a public key"),
            std::string::npos);
  EXPECT_NE(wrong("[context.signers]\nshop = { key = \"" + vkey("web") + "\" }\n")
                .find("the key of web is not that of shop"),
            std::string::npos);
  EXPECT_NE(wrong("[context.signers]\nshop = { key = \"" +
                  vkey("shop", merkle::KeyKind::cosignature) + "\" }\n")
                .find("the key of a witness signs no contexts"),
            std::string::npos);
  EXPECT_NE(wrong("[context]\norigin = \"a b\"\n").find("'a b' is no origin"), std::string::npos);
  EXPECT_NE(wrong("[context]\nsince = \"7d\"\n").find("'7d' is no day and no moment"),
            std::string::npos);
  EXPECT_NE(wrong("[context]\nsigner = 1\n").find("signer"), std::string::npos);
}

}  // namespace
}  // namespace vestige
