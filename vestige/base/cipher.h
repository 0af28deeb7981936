// ChaCha20-Poly1305, AES-256-CBC, HMAC, HKDF and X25519: what encrypted columns are made of, by OpenSSL.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vestige/base/crypto.h"

namespace vestige {

/// ciphertext || tag(16). Never twice under the same key and nonce.
///
/// key      32 bytes
/// nonce    12 bytes
/// faults   internal
Result<std::string> chacha_encrypt(std::string_view key, std::string_view nonce,
                                   std::string_view associated, std::string_view plain);

/// What chacha_encrypt was given; nothing where the tag does not hold.
std::optional<Secret> chacha_decrypt(std::string_view key, std::string_view nonce,
                                     std::string_view associated, std::string_view sealed);

/// AES-256 in CBC mode with the padding of PKCS #7, as pgcrypto's encrypt_iv(…, 'aes-cbc/pad:pkcs') makes it; nothing where
/// the padding does not hold, which says nothing about whether anybody changed it.
///
/// key      32 bytes
/// iv       16 bytes
std::optional<Secret> aes_cbc_decrypt(std::string_view key, std::string_view iv,
                                      std::string_view sealed);

/// HMAC-SHA256 (RFC 2104).
Hash hmac(std::string_view key, std::string_view message);

/// HKDF of RFC 5869 with SHA-256: `length` bytes, at most 32.
Secret hkdf_sha256(std::string_view secret, std::string_view salt, std::string_view info,
                   std::size_t length);

/// The public half of an X25519 key.
///
/// key      32 bytes
/// faults   internal
Result<std::string> x25519_public(std::string_view key);

/// What both sides know; nothing where the other's half is one that gives a secret everybody knows.
///
/// key, other   32 bytes
std::optional<Secret> x25519(std::string_view key, std::string_view other);

}  // namespace vestige
