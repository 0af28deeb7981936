#include "vestige/base/crypto.h"

#include <gtest/gtest.h>

#include "vestige/base/bytes.h"

namespace vestige {
namespace {

using namespace std::string_literals;

TEST(Crypto, Sha256IsThatOfTheStandard) {
  const auto hex = [](const Hash& hash) { return to_hex(view(hash)); };
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256({"a", "", "bc"}), sha256("abc"));
  Sha256 pieces;
  for (int i = 0; i < 1000000; ++i) pieces.update("a");
  EXPECT_EQ(hex(pieces.finish()),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  pieces.update("abc");
  EXPECT_EQ(pieces.finish(), sha256("abc")) << "begins anew";
}

// RFC 8032, section 7.1.
TEST(Crypto, Ed25519IsThatOfTheRfc) {
  const struct {
    std::string seed, key, message, signature;
  } cases[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf"
       "9b46b"
       "d25bf5f0595bbe24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f"
       "11d8c"
       "387b2eaeb4302aeeb00d291612bb0c00"},
  };
  for (const auto& one : cases) {
    const std::string message = from_lower_hex(one.message).value();
    const auto key = PrivateKey::from_seed(from_lower_hex(one.seed).value());
    EXPECT_EQ(to_hex(view(key->public_key().bytes)), one.key);
    const Signature signature = key->sign(message).value();
    EXPECT_EQ(to_hex(view(signature)), one.signature);
    EXPECT_TRUE(verify(key->public_key(), message, signature));
    EXPECT_FALSE(verify(key->public_key(), message + "x", signature));
    for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
      Signature flipped = signature;
      flipped[bit / 8] = static_cast<unsigned char>(flipped[bit / 8] ^ 1U << bit % 8);
      EXPECT_FALSE(verify(key->public_key(), message, flipped));
    }
  }
  EXPECT_EQ(PrivateKey::from_seed("short").error().message,
            "read a private key: its seed has 5 bytes, not 32");
}

TEST(Crypto, NoKeyIsNoKey) {
  PublicKey none;
  none.bytes.fill(0xff);
  EXPECT_FALSE(verify(none, "", Signature{}));
}

TEST(Crypto, RandomBytesDiffer) {
  const std::string one = random_bytes(32).value();
  EXPECT_EQ(one.size(), 32U);
  EXPECT_NE(one, random_bytes(32).value());
  EXPECT_EQ(random_bytes(0).value(), "");
}

TEST(Crypto, ASecretMovesAndIsWipedWhereItWas) {
  for (const std::string& text : {"short"s, std::string(100, 's')}) {
    Secret from{std::string(text)};
    const char* place = from.bytes().data();
    const bool inside = place >= reinterpret_cast<const char*>(&from) &&
                        place < reinterpret_cast<const char*>(&from + 1);
    Secret to(std::move(from));
    EXPECT_EQ(to.bytes(), text);
    EXPECT_EQ(from.bytes(), "");  // NOLINT(bugprone-use-after-move): what is asked here
    if (inside) {
      EXPECT_EQ(std::string(place, text.size()), std::string(text.size(), '\0'));
    }
    Secret third("third");
    third = std::move(to);
    EXPECT_EQ(third.bytes(), text);
  }
  std::string bytes(40, 'x');
  const char* place = bytes.data();
  wipe(bytes);
  EXPECT_TRUE(bytes.empty());
  EXPECT_EQ(std::string(place, 40), std::string(40, '\0'));
}

}  // namespace
}  // namespace vestige
