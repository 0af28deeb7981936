// What stands in the trail for a value of an encrypted column (docs/format.md, "Encrypted values"). Pure: no database, no key file.
//
//   token      = 01 || alg || data key's id(16) || nonce || sealed || commit(32)
//   alg 1      nonce(12), sealed = ChaCha20-Poly1305(salt || value), associated data "TABLE\nCOLUMN\n"
//   alg 2      nonce(16), sealed = AES-256-CBC(salt || value): PostgreSQL's pgcrypto, which has no other, and its portable functions
//   commit     SHA-256(salt || value): what binds the value, whoever has the key
//
// Test: token_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vestige/base/crypto.h"

namespace vestige {

/// SHA-256("vestige-data-key" || key)[:16]
std::string data_key_id(std::string_view key);

/// Of which column of which table a token is: the associated data of alg 1.
std::string token_place(std::int64_t table, std::int64_t column);

/// A token of alg 1.
///
/// key      32 bytes
/// faults   internal
Result<std::string> make_token(std::string_view key, std::string_view place,
                               std::string_view value);

/// The id of the data key that opens a token; nothing where the bytes are none.
std::optional<std::string> key_of_token(std::string_view token);

/// The value in a token.
///
/// key      the data key that key_of_token names
/// faults   corrupt (no token; of another column; opened to something else than was recorded)
Result<Secret> open_token(std::string_view token, std::string_view key, std::string_view place);

/// The same with its salt before it: what the commitment of the token is over.
///
/// faults   corrupt
Result<Secret> open_token_salted(std::string_view token, std::string_view key,
                                 std::string_view place);

constexpr std::size_t kTokenSalt = 16;

/// Whether that value, under that salt, is what a token was made of: needs no key.
bool commits_to(std::string_view token, std::string_view salt, std::string_view value);

}  // namespace vestige
