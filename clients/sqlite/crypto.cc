// SHA-256 and random bytes without the whole of OpenSSL, of which only that function's code goes into the extension. It signs
// nothing: sealing is for who holds a key, outside the application.
#include "vestige/base/crypto.h"

#include <openssl/sha.h>
#include <sys/random.h>

#include <cerrno>

struct evp_md_ctx_st {
  SHA256_CTX sha;
};

namespace vestige {

Hash sha256(std::string_view bytes) { return sha256({bytes}); }

Hash sha256(std::initializer_list<std::string_view> parts) {
  Sha256 hash;
  for (const std::string_view part : parts) hash.update(part);
  return hash.finish();
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept { delete context; }

Sha256::Sha256() : context_(new evp_md_ctx_st) { SHA256_Init(&context_->sha); }

void Sha256::update(std::string_view bytes) {
  SHA256_Update(&context_->sha, bytes.data(), bytes.size());
}

Hash Sha256::finish() {
  Hash hash;
  SHA256_Final(hash.data(), &context_->sha);
  SHA256_Init(&context_->sha);
  return hash;
}

Result<std::string> random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t got = 0; got < count;) {
    const ssize_t some = getrandom(bytes.data() + got, count - got, 0);
    if (some < 0 && errno == EINTR) continue;
    if (some < 0) return fail(Fault::internal, "make random bytes: the system gives none");
    got += static_cast<std::size_t>(some);
  }
  return bytes;
}

}  // namespace vestige
