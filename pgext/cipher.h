// What encrypted columns are made of, by OpenSSL, for code without exceptions. Pure: nothing here calls the server, so that nothing is
// left by longjmp between what OpenSSL gives and takes back. Twin: vestige/base/cipher.h. Test: test/postgres_native_encrypted_test.cc.
#pragma once

#include <cstddef>

namespace vestige::native {

/// Some bytes that stand elsewhere.
struct Bytes {
  const void* at;
  std::size_t size;
};

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kTagBytes = 16;

/// Random bytes: for a key, and for what is written down.
bool random_key(void* out, std::size_t size);
bool random_salt(void* out, std::size_t size);

/// SHA-256 of some bytes, one after another.
bool sha256(const Bytes* parts, int count, unsigned char* out);

/// HMAC-SHA256. key  at most 64 bytes
bool hmac_sha256(Bytes key, const Bytes* parts, int count, unsigned char* out);

/// 32 bytes by HKDF of RFC 5869 with SHA-256.
bool hkdf_sha256(Bytes secret, Bytes salt, const char* info, unsigned char* out);

/// ChaCha20-Poly1305 where the bytes stand; the tag comes behind them.
bool chacha_encrypt(const unsigned char* key, const unsigned char* nonce, Bytes associated,
                    unsigned char* text, std::size_t size);

/// AES-256-CBC with the padding of PKCS #7 where the bytes stand; up to 16 come behind them. How many there are then; 0: refused.
std::size_t aes_cbc_encrypt(const unsigned char* key, const unsigned char* iv, unsigned char* text,
                            std::size_t size);

/// The public half of an X25519 key, and what both sides know.
bool x25519(const unsigned char* key, const unsigned char* other, unsigned char* own_public,
            unsigned char* shared);

/// Nothing of what stood there is left.
void wipe(void* at, std::size_t size);

/// Nor in what OpenSSL works with.
void wipe_ciphers();

}  // namespace vestige::native
