// Tokens of encrypted values and wraps of data keys (docs/format.md, "Encrypted values"), byte by byte. Pure, as cipher.h. Twins:
// vestige/encryption/token.h and age_file.h, by which the tests open what is made here.
#pragma once

#include "pgext/cipher.h"

namespace vestige::native {

constexpr std::size_t kKeyIdBytes = 16;

/// A key under which a transaction encrypts the values of a class.
struct DataKey {
  unsigned char bytes[kKeyBytes];
  unsigned char id[kKeyIdBytes];
};

/// alg of a token. bound: ChaCha20-Poly1305, to its column; loose: AES-256-CBC, as the portable functions make them, which do not know it.
enum class Algorithm : unsigned char { bound = 1, loose = 2 };

/// A new key.
bool make_data_key(DataKey* out);

/// How many bytes the token of a value may have.
constexpr std::size_t most_of_token(std::size_t value) { return value + 112; }

/// A token. The value is copied there, and nothing of it is left elsewhere.
///
/// place    of which column: the associated data of `bound`
/// out      most_of_token bytes
/// returns  how many it has; 0: OpenSSL refuses, and nothing is there
std::size_t make_token(const DataKey& key, Algorithm algorithm, Bytes place, Bytes value,
                       unsigned char* out);

/// The public key of "age1…", with or without more behind a space; false where none stands first.
bool age_public_key(const char* text, std::size_t size, unsigned char* out);

constexpr std::size_t kAgeKeyText = 62;
constexpr std::size_t kWrapBytes = 232;

/// A data key in a file of age for one X25519 key.
bool wrap_key(const DataKey& key, const unsigned char* public_key, unsigned char* out);

/// Base64 with its padding: base64_size bytes.
constexpr std::size_t base64_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }
void to_base64(const unsigned char* bytes, std::size_t size, char* out);

}  // namespace vestige::native
