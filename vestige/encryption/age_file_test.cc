#include "vestige/encryption/age_file.h"

#include <gtest/gtest.h>

#include "vestige/base/bytes.h"
#include "vestige/base/cipher.h"

namespace vestige {
namespace {

// A pair of age-keygen, and what `age -r` made of "a data key" for it.
constexpr std::string_view kIdentity =
    "AGE-SECRET-KEY-1V3H2NKHSKES2PNW2Z27FG3UFSR8Q43SVYASVJ7U907N3M089H9CS5Y8S5Q";
constexpr std::string_view kRecipient =
    "age10aywnay6232ty3vnumn6kczrvsmnnzvvy4wlh3tlpfzte4gmma8s7yaf2t";
constexpr std::string_view kFile =
    "6167652d656e6372797074696f6e2e6f72672f76310a2d3e20583235353139206e504554563746666d727a72574632"
    "346137474b6d356d385936486c674e4b577664787138754c686b46410a7230466d67516b72305252456a4e366f4975"
    "644774346747784554544272476d524b4c49475366474442450a2d2d2d20455172793253305a73685676456d307578"
    "4733337963396e54744b6e7268384c6f41776c476b48774332380ab860b032b6a6de49e037d6345cee240e2a33e07e"
    "a2278dd89ad3b48f893232eeac0b936de9173b2d2818";

TEST(AgeFile, KeysAreSpelledAsAgeSpellsThem) {
  const auto key = parse_age_identity(kIdentity);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(age_identity(key->bytes()).bytes(), kIdentity);
  const std::string half = *x25519_public(key->bytes());
  EXPECT_EQ(age_recipient(half), kRecipient);
  EXPECT_EQ(*parse_age_recipient(kRecipient), half);
}

TEST(AgeFile, OfAgeIsOpened) {
  const auto plain = age_decrypt(parse_age_identity(kIdentity)->bytes(), *from_lower_hex(kFile));
  ASSERT_TRUE(plain.has_value()) << plain.error().message;
  EXPECT_EQ(plain->bytes(), "a data key");
}

TEST(AgeFile, IsOpenedByItsKeyAlone) {
  const auto key = parse_age_identity(kIdentity);
  const std::string file = *age_encrypt(*parse_age_recipient(kRecipient), "0123456789abcdef");
  EXPECT_EQ(age_decrypt(key->bytes(), file)->bytes(), "0123456789abcdef");
  EXPECT_EQ(age_decrypt(std::string(32, 'x'), file).error().message,
            "open a wrapped key: it is for others");
}

TEST(AgeFile, CutOrFlippedAnywhereIsRefused) {
  const auto key = parse_age_identity(kIdentity);
  const std::string file = *age_encrypt(*parse_age_recipient(kRecipient), "0123456789abcdef");
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(age_decrypt(key->bytes(), file.substr(0, size)).has_value()) << size;
  for (std::size_t i = 0; i < file.size(); ++i) {
    std::string other = file;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(age_decrypt(key->bytes(), other).has_value()) << i;
  }
  EXPECT_EQ(age_decrypt(key->bytes(), "").error().message,
            "open a wrapped key: it is no whole age file");
}

TEST(AgeFile, KeysThatAreNoneAreRefused) {
  for (std::size_t i = 0; i < kRecipient.size(); ++i) {
    EXPECT_FALSE(parse_age_recipient(kRecipient.substr(0, i)).has_value()) << i;
    std::string other(kRecipient);
    other[i] = other[i] == 'q' ? 'p' : 'q';
    EXPECT_FALSE(parse_age_recipient(other).has_value()) << i;
  }
  for (std::size_t i = 0; i < kIdentity.size(); ++i)
    EXPECT_FALSE(parse_age_identity(kIdentity.substr(0, i)).has_value()) << i;
  EXPECT_EQ(parse_age_recipient("age1x").error().message, "read a recipient: it is none of age");
  EXPECT_EQ(parse_age_recipient(kIdentity).error().message,
            "read a recipient: that is a private key");
  // What was taken for a key is not repeated.
  EXPECT_EQ(parse_age_identity("AGE-SECRET-KEY-1X").error().message,
            "read a private key: it is none of age");
  // The point of order one: everybody knows the secret that it gives.
  EXPECT_EQ(age_encrypt(std::string(32, '\0'), "x").error().message,
            "wrap a key: the recipient is no key");
  EXPECT_EQ(age_encrypt(*parse_age_recipient(kRecipient), std::string(65537, 'x')).error().message,
            "wrap a key: more than 64 KiB");
}

}  // namespace
}  // namespace vestige
