#include "vestige/encryption/key_file.h"

#include <gtest/gtest.h>

#include "vestige/base/cipher.h"
#include "vestige/encryption/age_file.h"
#include "vestige/encryption/openpgp.h"

namespace vestige {
namespace {

// Two keys of RSA take a second: made once.
const NewKey& key() {
  static const NewKey made = *make_key("phi", "2026-11-30T10:00:00Z");
  return made;
}

TEST(KeyFile, OpensWhatIsWrappedForItsPublicHalf) {
  const auto identity = parse_identity(key().file.bytes());
  ASSERT_TRUE(identity.has_value()) << identity.error().message;
  EXPECT_EQ(identity->of, "phi");
  const std::string& line = key().recipient;
  const std::string age = *parse_age_recipient(line.substr(0, line.find(' ')));
  EXPECT_EQ(*x25519_public(identity->age.bytes()), age);
  EXPECT_EQ(age_decrypt(identity->age.bytes(), *age_encrypt(age, "k"))->bytes(), "k");
  const std::string wrapped = *encrypt_openpgp(*openpgp_half(line), "a data key");
  EXPECT_EQ(open_openpgp(identity->openpgp.bytes(), wrapped)->bytes(), "a data key");
  for (std::size_t size = 0; size < wrapped.size(); size += 7)
    EXPECT_FALSE(open_openpgp(identity->openpgp.bytes(), wrapped.substr(0, size)).has_value());
  EXPECT_EQ(open_openpgp("", wrapped).error().message,
            "open a wrapped key: the OpenPGP key does not open it");
  EXPECT_EQ(encrypt_openpgp("", "x").error().message,
            "wrap a key: the recipient is no OpenPGP key");
}

// A message says for each of its keys whose it is: eight bytes behind the version.
TEST(KeyFile, OpensWhatIsForSomebodyElseToo) {
  const auto identity = parse_identity(key().file.bytes());
  ASSERT_TRUE(identity.has_value()) << identity.error().message;
  const std::string ours = *encrypt_openpgp(*openpgp_half(key().recipient), "a data key");
  const auto byte = [&](std::size_t place) -> std::size_t {
    return static_cast<unsigned char>(ours.at(place));
  };
  // Of a key of RSA it is some 400 bytes long: its length stands in two, whichever way it is written.
  const bool newer = (byte(0) & 0x40U) != 0;
  ASSERT_TRUE(newer ? byte(1) >= 192 && byte(1) < 224 : (byte(0) & 3U) == 1);
  const std::size_t body = (byte(1) << 8U | byte(2)) - (newer ? 0xc000U - 192U : 0U);
  const std::string packet = ours.substr(0, 3 + body);
  std::string other = packet;
  other[4] = static_cast<char>(other[4] ^ 1);
  const std::string message = ours.substr(packet.size());
  const auto opened = [&](const std::string& whole) {
    const auto plain = open_openpgp(identity->openpgp.bytes(), whole);
    return plain.has_value() ? std::string(plain->bytes()) : plain.error().message;
  };
  EXPECT_EQ(opened(other + packet + message), "a data key");
  EXPECT_EQ(opened(packet + other + message), "a data key");
  EXPECT_EQ(opened(other + other + message),
            "open a wrapped key: the OpenPGP key does not open it");
}

TEST(KeyFile, CutAnywhereHasNoPrivateKey) {
  const std::string_view file = key().file.bytes();
  const std::size_t begin = file.find("AGE-SECRET-KEY-1");
  for (std::size_t size = begin; size + 1 < file.size(); ++size)
    EXPECT_FALSE(parse_identity(file.substr(0, size)).has_value()) << size;
  for (std::size_t size = 0; size < begin; size += 101)
    EXPECT_FALSE(parse_identity(file.substr(0, size)).has_value()) << size;
}

TEST(KeyFile, ErrorsSayTheLineAndNothingOfIt) {
  const auto said = [](std::string_view file) { return parse_identity(file).error().message; };
  EXPECT_EQ(said(""), "read a key file: there is no private key in it");
  EXPECT_EQ(said("# class: phi\nAGE-SECRET-KEY-1SECRET\n"),
            "read a key file: line 2: it is no private key of age");
  EXPECT_EQ(said("# openpgp: secret\n"),
            "read a key file: line 1: what it says of OpenPGP is no base64");
  const std::string one(age_identity(std::string(32, 'a')).bytes());
  EXPECT_EQ(said(one + "\n" + one + "\n"),
            "read a key file: line 2: there is a second private key");
  EXPECT_EQ(parse_identity(one)->of, "");
  EXPECT_EQ(*openpgp_half("age1x"), "");
}

}  // namespace
}  // namespace vestige
