#include "vestige/base/cipher.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <memory>

namespace vestige {
namespace {

constexpr std::size_t kTag = 16;
constexpr std::size_t kCurve = 32;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct FreeDerivation {
  void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
int length(std::string_view text) { return static_cast<int>(text.size()); }

}  // namespace

Result<std::string> chacha_encrypt(std::string_view key, std::string_view nonce,
                                   std::string_view associated, std::string_view plain) {
  const Cipher context(EVP_CIPHER_CTX_new());
  std::string out(plain.size() + kTag, '\0');
  int size = 0;
  int rest = 0;
  const bool made =
      context != nullptr && key.size() == 32 && nonce.size() == 12 &&
      EVP_EncryptInit_ex(context.get(), EVP_chacha20_poly1305(), nullptr, bytes(key),
                         bytes(nonce)) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &rest, bytes(associated), length(associated)) ==
          1 &&
      EVP_EncryptUpdate(context.get(), bytes(out), &size, bytes(plain), length(plain)) == 1 &&
      EVP_EncryptFinal_ex(context.get(), bytes(out) + size, &rest) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTag, bytes(out) + plain.size()) ==
          1;
  if (!made) return fail(Fault::internal, "encrypt: OpenSSL refuses");
  return out;
}

std::optional<Secret> chacha_decrypt(std::string_view key, std::string_view nonce,
                                     std::string_view associated, std::string_view sealed) {
  if (key.size() != 32 || nonce.size() != 12 || sealed.size() < kTag) return std::nullopt;
  const Cipher context(EVP_CIPHER_CTX_new());
  std::string tag(sealed.substr(sealed.size() - kTag));
  sealed.remove_suffix(kTag);
  std::string out(sealed.size(), '\0');
  int size = 0;
  int rest = 0;
  const bool opened =
      context != nullptr &&
      EVP_DecryptInit_ex(context.get(), EVP_chacha20_poly1305(), nullptr, bytes(key),
                         bytes(nonce)) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &rest, bytes(associated), length(associated)) ==
          1 &&
      EVP_DecryptUpdate(context.get(), bytes(out), &size, bytes(sealed), length(sealed)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTag, bytes(tag)) == 1 &&
      EVP_DecryptFinal_ex(context.get(), bytes(out) + size, &rest) == 1;
  Secret plain(std::move(out));
  if (!opened) return std::nullopt;
  return plain;
}

std::optional<Secret> aes_cbc_decrypt(std::string_view key, std::string_view iv,
                                      std::string_view sealed) {
  constexpr std::size_t kBlock = 16;
  if (key.size() != 32 || iv.size() != kBlock || sealed.empty() || sealed.size() % kBlock != 0)
    return std::nullopt;
  const Cipher context(EVP_CIPHER_CTX_new());
  std::string out(sealed.size() + kBlock, '\0');
  int size = 0;
  int rest = 0;
  const bool opened =
      context != nullptr &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_cbc(), nullptr, bytes(key), bytes(iv)) == 1 &&
      EVP_DecryptUpdate(context.get(), bytes(out), &size, bytes(sealed), length(sealed)) == 1 &&
      EVP_DecryptFinal_ex(context.get(), bytes(out) + size, &rest) == 1;
  if (opened) out.resize(static_cast<std::size_t>(size) + static_cast<std::size_t>(rest));
  Secret plain(std::move(out));
  if (!opened) return std::nullopt;
  return plain;
}

Hash hmac(std::string_view key, std::string_view message) {
  Hash out{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), length(key), bytes(message), message.size(), out.data(), &size);
  return out;
}

// One block is all that anybody here asks for.
Secret hkdf_sha256(std::string_view secret, std::string_view salt, std::string_view info,
                   std::size_t length) {
  const Hash extracted = hmac(salt.empty() ? std::string(32, '\0') : std::string(salt), secret);
  const Hash block = hmac(view(extracted), std::string(info) + '\x01');
  return Secret(std::string(view(block).substr(0, length)));
}

Result<std::string> x25519_public(std::string_view key) {
  const Key own(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytes(key), key.size()));
  std::string out(kCurve, '\0');
  std::size_t size = out.size();
  if (own == nullptr || EVP_PKEY_get_raw_public_key(own.get(), bytes(out), &size) != 1)
    return fail(Fault::internal, "make a public key: OpenSSL refuses");
  return out;
}

std::optional<Secret> x25519(std::string_view key, std::string_view other) {
  const Key own(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytes(key), key.size()));
  const Key peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, bytes(other), other.size()));
  if (own == nullptr || peer == nullptr) return std::nullopt;
  const std::unique_ptr<EVP_PKEY_CTX, FreeDerivation> context(EVP_PKEY_CTX_new(own.get(), nullptr));
  std::string out(kCurve, '\0');
  std::size_t size = out.size();
  const bool made = context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
                    EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
                    EVP_PKEY_derive(context.get(), bytes(out), &size) == 1;
  Secret shared(std::move(out));
  if (!made || shared.bytes() == std::string(kCurve, '\0')) return std::nullopt;
  return shared;
}

}  // namespace vestige
