// Files of age (age-encryption.org/v1) for X25519 keys: how a data key is wrapped, so that `age -d -i phi.key` opens it, too.
// Test: age_file_test.cc; test/scripts/age.sh holds it against age itself.
#pragma once

#include <string>
#include <string_view>

#include "vestige/base/crypto.h"

namespace vestige {

/// "age1…": a public key, 32 bytes.
std::string age_recipient(std::string_view public_key);
/// faults   invalid; the message never repeats the text, which is now and then the private half
Result<std::string> parse_age_recipient(std::string_view text);

/// Whether a private key stands anywhere in a text, whole or not.
bool holds_private_key(std::string_view text);

/// "AGE-SECRET-KEY-1…": a private key, 32 bytes.
Secret age_identity(std::string_view private_key);
/// faults   invalid; the message never repeats the text
Result<Secret> parse_age_identity(std::string_view text);

/// An age file for one recipient.
///
/// public_key   32 bytes
/// plain        at most 64 KiB
Result<std::string> age_encrypt(std::string_view public_key, std::string_view plain);

/// faults   corrupt (no such file, or one that somebody changed), denied (it is for other keys)
Result<Secret> age_decrypt(std::string_view private_key, std::string_view file);

}  // namespace vestige
