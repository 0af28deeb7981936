#include "vestige/encryption/token.h"

#include <gtest/gtest.h>

#include "vestige/base/bytes.h"
#include "vestige/base/cipher.h"

namespace vestige {
namespace {

const std::string kKey(32, 'k');
constexpr std::string_view kValue = R"("123-45-6789")";

std::string token_of(std::string_view value) { return *make_token(kKey, token_place(3, 2), value); }

TEST(Token, OpensToWhatWasPutIn) {
  for (const std::string_view value : {kValue, std::string_view("null"), std::string_view("")}) {
    const std::string token = token_of(value);
    EXPECT_EQ(key_of_token(token), data_key_id(kKey));
    const auto opened = open_token(token, kKey, token_place(3, 2));
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->bytes(), value);
    EXPECT_NE(token, token_of(value));  // of equal values no token says that they are
  }
}

TEST(Token, OpensInItsColumnAlone) {
  const std::string token = token_of(kValue);
  for (const auto& place : {token_place(3, 1), token_place(2, 2), std::string()}) {
    const auto opened = open_token(token, kKey, place);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().message,
              "open an encrypted value: its key does not open it in this place");
  }
}

TEST(Token, CutOrFlippedAnywhereIsRefused) {
  const std::string token = token_of(kValue);
  for (std::size_t size = 0; size < token.size(); ++size)
    EXPECT_FALSE(open_token(token.substr(0, size), kKey, token_place(3, 2)).has_value()) << size;
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string other = token;
    other[i] = static_cast<char>(other[i] ^ 1);
    const bool names_key = i >= 2 && i < 18;  // the id of the key: another one is asked for
    EXPECT_EQ(open_token(other, kKey, token_place(3, 2)).has_value(), names_key) << i;
    if (names_key) {
      EXPECT_NE(key_of_token(other), data_key_id(kKey));
    }
  }
  EXPECT_EQ(open_token("", kKey, "").error().message, "open an encrypted value: it is no token");
}

// AES-256-CBC has no integrity of its own: the commitment is it. The token was made with OpenSSL's command line.
TEST(Token, OfPgcryptoIsBoundByItsCommitment) {
  const std::string key =
      *from_lower_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  const std::string iv(16, '\0');
  const std::string sealed =
      *from_lower_hex("f23cb6409a8f9050e2cd5d5d04cf6ea70a16d1106e6be87dce365fb05061bad7");
  const std::string plain = std::string(16, 's') + "secret";
  std::string token = {1, 2};
  token += data_key_id(key) + iv + sealed + std::string(view(sha256(plain)));
  EXPECT_EQ(open_token(token, key, token_place(1, 1))->bytes(), "secret");
  token.back() = static_cast<char>(token.back() ^ 1);
  EXPECT_EQ(open_token(token, key, token_place(1, 1)).error().message,
            "open an encrypted value: it is not the one that was recorded");
}

}  // namespace
}  // namespace vestige
