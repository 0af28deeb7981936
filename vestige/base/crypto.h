// SHA-256, random bytes and Ed25519: the only place that knows OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "vestige/base/result.h"

struct evp_md_ctx_st;
struct evp_pkey_st;

namespace vestige {

/// What SHA-256 gives.
using Hash = std::array<unsigned char, 32>;

/// The same bytes, seen as text; valid as long as the array.
template <std::size_t N>
std::string_view view(const std::array<unsigned char, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

/// Copies bytes into an array. bytes.size() must be N.
template <std::size_t N>
std::array<unsigned char, N> to_array(std::string_view bytes) {
  std::array<unsigned char, N> out{};
  bytes.copy(reinterpret_cast<char*>(out.data()), N);
  return out;
}

Hash sha256(std::string_view bytes);
/// The hash of the parts, one after the other.
Hash sha256(std::initializer_list<std::string_view> parts);

/// SHA-256 of what comes in pieces.
class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  /// The hash of everything so far; afterwards it begins anew.
  Hash finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// Overwrites a text that holds a secret, in a way that no compiler leaves out; afterwards it is empty.
void wipe(std::string& secret);

/// Bytes that are wiped when they are no longer needed. They move and are never copied.
class Secret {
 public:
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(bytes_); }

  std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Random bytes, good enough for keys and salts. Ask for many at once: one call costs a microsecond.
///
/// faults   internal (the system gives none)
Result<std::string> random_bytes(std::size_t count);

/// An Ed25519 public key.
struct PublicKey {
  std::array<unsigned char, 32> bytes{};
  bool operator==(const PublicKey&) const = default;
};

/// An Ed25519 signature.
using Signature = std::array<unsigned char, 64>;

/// An Ed25519 private key. OpenSSL wipes it when it is freed.
class PrivateKey {
 public:
  /// seed     32 bytes
  /// faults   invalid (another length)
  static Result<PrivateKey> from_seed(std::string_view seed);

  const PublicKey& public_key() const { return public_key_; }

  /// faults   internal
  Result<Signature> sign(std::string_view message) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const noexcept;
  };
  PrivateKey() = default;
  std::unique_ptr<evp_pkey_st, Free> key_;
  PublicKey public_key_;
};

/// True when the signature of the message was made with the private half of the key.
bool verify(const PublicKey& key, std::string_view message, const Signature& signature);

}  // namespace vestige
