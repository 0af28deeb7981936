#include "vestige/base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

namespace vestige {
namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeContext>;

// Fetched once: looking an algorithm up costs more than hashing a leaf.
const EVP_MD* algorithm() {
  static EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched;
}

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex2(context_.get(), algorithm(), nullptr);
}

void Sha256::update(std::string_view bytes) {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

Hash Sha256::finish() {
  Hash hash;
  EVP_DigestFinal_ex(context_.get(), hash.data(), nullptr);
  EVP_DigestInit_ex2(context_.get(), nullptr, nullptr);
  return hash;
}

Hash sha256(std::initializer_list<std::string_view> parts) {
  thread_local Sha256 hash;
  for (const std::string_view part : parts) hash.update(part);
  return hash.finish();
}

Hash sha256(std::string_view bytes) { return sha256({bytes}); }

void wipe(std::string& secret) {
  secret.resize(secret.capacity());  // within its memory: what was cut off is wiped as well
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

// A short text stands in the object itself and stays there when it is swapped out: so it is wiped.
Secret::Secret(Secret&& other) noexcept {
  bytes_.swap(other.bytes_);
  wipe(other.bytes_);
}

Secret& Secret::operator=(Secret&& other) noexcept {
  bytes_.swap(other.bytes_);
  wipe(other.bytes_);
  return *this;
}

Result<std::string> random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1)
    return fail(Fault::internal, "take random bytes: the system gives none");
  return bytes;
}

void PrivateKey::Free::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }

Result<PrivateKey> PrivateKey::from_seed(std::string_view seed) {
  PrivateKey made;
  if (seed.size() != 32)
    return fail(Fault::invalid, "read a private key: its seed has {} bytes, not 32", seed.size());
  made.key_.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed), seed.size()));
  std::size_t length = made.public_key_.bytes.size();
  if (made.key_ == nullptr ||
      EVP_PKEY_get_raw_public_key(made.key_.get(), made.public_key_.bytes.data(), &length) != 1)
    return fail(Fault::internal, "read a private key: OpenSSL refuses it");
  return made;
}

Result<Signature> PrivateKey::sign(std::string_view message) const {
  Signature signature;
  std::size_t length = signature.size();
  const DigestContext context(EVP_MD_CTX_new());
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &length, raw(message), message.size()) != 1)
    return fail(Fault::internal, "sign: OpenSSL refuses");
  return signature;
}

bool verify(const PublicKey& key, std::string_view message, const Signature& signature) {
  const std::unique_ptr<EVP_PKEY, FreeKey> known(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.bytes.data(), key.bytes.size()));
  const DigestContext context(EVP_MD_CTX_new());
  return known != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, known.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), raw(message),
                          message.size()) == 1;
}

}  // namespace vestige
