#include "pgext/cipher.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstring>

namespace vestige::native {
namespace {

constexpr std::size_t kBlock = 64;  // of SHA-256

// Made when they are first used, and kept as long as the session: to make one costs more than a token.
EVP_MD_CTX* hashing = nullptr;
EVP_CIPHER_CTX* chacha = nullptr;
EVP_CIPHER_CTX* aes = nullptr;

bool have_hashing() {
  if (hashing != nullptr) return true;
  EVP_MD_CTX* made = EVP_MD_CTX_new();
  if (made == nullptr || EVP_DigestInit_ex(made, EVP_sha256(), nullptr) != 1) {
    EVP_MD_CTX_free(made);
    return false;
  }
  hashing = made;
  return true;
}

bool have(EVP_CIPHER_CTX** context, const EVP_CIPHER* cipher) {
  if (*context != nullptr) return true;
  EVP_CIPHER_CTX* made = EVP_CIPHER_CTX_new();
  if (made == nullptr || EVP_EncryptInit_ex(made, cipher, nullptr, nullptr, nullptr) != 1) {
    EVP_CIPHER_CTX_free(made);
    return false;
  }
  *context = made;
  return true;
}

int length(std::size_t size) { return static_cast<int>(size); }

const unsigned char* bytes(const void* at) { return static_cast<const unsigned char*>(at); }

bool hash_behind(const unsigned char* pad, const Bytes* parts, int count, unsigned char* out) {
  Bytes all[4] = {{pad, kBlock}, {}, {}, {}};
  for (int i = 0; i < count; ++i) all[i + 1] = parts[i];
  return count < 4 && sha256(all, count + 1, out);
}

bool derived(EVP_PKEY* own, EVP_PKEY* peer, unsigned char* shared) {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(own, nullptr);
  std::size_t size = kKeyBytes;
  const bool made = context != nullptr && EVP_PKEY_derive_init(context) == 1 &&
                    EVP_PKEY_derive_set_peer(context, peer) == 1 &&
                    EVP_PKEY_derive(context, shared, &size) == 1 && size == kKeyBytes;
  EVP_PKEY_CTX_free(context);
  unsigned char any = 0;
  for (std::size_t i = 0; i < kKeyBytes; ++i) any |= shared[i];
  return made && any != 0;
}

}  // namespace

bool random_key(void* out, std::size_t size) {
  return RAND_priv_bytes(static_cast<unsigned char*>(out), length(size)) == 1;
}

bool random_salt(void* out, std::size_t size) {
  // Asked for some at once: a call costs as much as encrypting a short value.
  static unsigned char kept[1024];
  static std::size_t left = 0;
  if (size > sizeof(kept)) return RAND_bytes(static_cast<unsigned char*>(out), length(size)) == 1;
  if (left < size) {
    left = 0;
    if (RAND_bytes(kept, sizeof(kept)) != 1) return false;
    left = sizeof(kept);
  }
  left -= size;
  std::memcpy(out, kept + left, size);
  wipe(kept + left, size);
  return true;
}

bool sha256(const Bytes* parts, int count, unsigned char* out) {
  if (!have_hashing() || EVP_DigestInit_ex(hashing, nullptr, nullptr) != 1) return false;
  for (int i = 0; i < count; ++i)
    if (EVP_DigestUpdate(hashing, parts[i].at, parts[i].size) != 1) return false;
  unsigned size = 0;
  return EVP_DigestFinal_ex(hashing, out, &size) == 1;
}

bool hmac_sha256(Bytes key, const Bytes* parts, int count, unsigned char* out) {
  unsigned char pad[kBlock];
  unsigned char inner[kHashBytes];
  const auto keyed = [&](unsigned char with) {
    std::memset(pad, with, kBlock);
    for (std::size_t i = 0; i < key.size; ++i) pad[i] ^= bytes(key.at)[i];
  };
  if (key.size > kBlock) return false;
  keyed(0x36);
  bool made = hash_behind(pad, parts, count, inner);
  keyed(0x5c);
  const Bytes first = {inner, sizeof(inner)};
  made = made && hash_behind(pad, &first, 1, out);
  wipe(pad, sizeof(pad));
  wipe(inner, sizeof(inner));
  return made;
}

// One block is all that anybody here asks for.
bool hkdf_sha256(Bytes secret, Bytes salt, const char* info, unsigned char* out) {
  unsigned char extracted[kHashBytes];
  const unsigned char one = 1;
  const Bytes expand[] = {{info, std::strlen(info)}, {&one, 1}};
  const bool made = hmac_sha256(salt, &secret, 1, extracted) &&
                    hmac_sha256({extracted, sizeof(extracted)}, expand, 2, out);
  wipe(extracted, sizeof(extracted));
  return made;
}

bool chacha_encrypt(const unsigned char* key, const unsigned char* nonce, Bytes associated,
                    unsigned char* text, std::size_t size) {
  int some = 0;
  return have(&chacha, EVP_chacha20_poly1305()) &&
         EVP_EncryptInit_ex(chacha, nullptr, nullptr, key, nonce) == 1 &&
         (associated.size == 0 || EVP_EncryptUpdate(chacha, nullptr, &some, bytes(associated.at),
                                                    length(associated.size)) == 1) &&
         EVP_EncryptUpdate(chacha, text, &some, text, length(size)) == 1 && some == length(size) &&
         EVP_EncryptFinal_ex(chacha, text + size, &some) == 1 &&
         EVP_CIPHER_CTX_ctrl(chacha, EVP_CTRL_AEAD_GET_TAG, kTagBytes, text + size) == 1;
}

std::size_t aes_cbc_encrypt(const unsigned char* key, const unsigned char* iv, unsigned char* text,
                            std::size_t size) {
  int some = 0;
  int rest = 0;
  const bool made = have(&aes, EVP_aes_256_cbc()) &&
                    EVP_EncryptInit_ex(aes, nullptr, nullptr, key, iv) == 1 &&
                    EVP_EncryptUpdate(aes, text, &some, text, length(size)) == 1 &&
                    EVP_EncryptFinal_ex(aes, text + some, &rest) == 1;
  return made ? static_cast<std::size_t>(some) + static_cast<std::size_t>(rest) : 0;
}

bool x25519(const unsigned char* key, const unsigned char* other, unsigned char* own_public,
            unsigned char* shared) {
  EVP_PKEY* own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, key, kKeyBytes);
  EVP_PKEY* peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, other, kKeyBytes);
  std::size_t size = kKeyBytes;
  const bool made = own != nullptr && peer != nullptr &&
                    EVP_PKEY_get_raw_public_key(own, own_public, &size) == 1 &&
                    derived(own, peer, shared);
  EVP_PKEY_free(own);
  EVP_PKEY_free(peer);
  return made;
}

void wipe(void* at, std::size_t size) { OPENSSL_cleanse(at, size); }

void wipe_ciphers() {
  const unsigned char nothing[kBlock] = {};
  unsigned char out[kHashBytes];
  const Bytes block = {nothing, sizeof(nothing)};
  if (hashing != nullptr) (void)sha256(&block, 1, out);
  if (chacha != nullptr) (void)EVP_EncryptInit_ex(chacha, nullptr, nullptr, nothing, nothing);
  if (aes != nullptr) (void)EVP_EncryptInit_ex(aes, nullptr, nullptr, nothing, nothing);
}

}  // namespace vestige::native
