// OpenPGP for PostgreSQL's pgcrypto, which knows RSA alone: keys and messages, by librnp. Test: key_file_test.cc.
#pragma once

#include <string>
#include <string_view>

#include "vestige/base/crypto.h"

namespace vestige {

/// A pair of keys, RSA of 3,072 bits with a subkey for encryption, in OpenPGP's binary form; under no password.
struct OpenPgpKey {
  std::string public_half;
  Secret secret_half;
};

/// user     whom it names
/// faults   internal
Result<OpenPgpKey> make_openpgp_key(std::string_view user);

/// That it is public keys of OpenPGP and no private one among them.
///
/// faults   invalid; the message never repeats what was given
Result<void> check_openpgp_public(std::string_view public_half);

/// What a message that was encrypted for the key says.
///
/// faults   corrupt (no message, or not one for that key)
Result<Secret> open_openpgp(std::string_view secret_half, std::string_view message);

/// A message for a key, as pgcrypto's pgp_pub_encrypt_bytea makes them.
///
/// faults   invalid (no public key)
Result<std::string> encrypt_openpgp(std::string_view public_half, std::string_view plain);

}  // namespace vestige
