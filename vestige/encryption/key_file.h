// The file with the private half of a class's key, and the line with its public half. The file is one of age's identities, so that
// `age -d -i phi.key` takes it, with the OpenPGP key in a comment.
//
//   # class: phi
//   # created: 2026-11-30T10:00:00Z
//   # recipient: age1… openpgp:BASE64          (the line that is printed)
//   # openpgp: BASE64                          (the secret key)
//   AGE-SECRET-KEY-1…
//
// Test: key_file_test.cc.
#pragma once

#include <string>
#include <string_view>

#include "vestige/base/crypto.h"

namespace vestige {

/// What opens the values of a class.
struct Identity {
  std::string of;  // the class
  Secret age;      // 32 bytes
  Secret openpgp;  // OpenPGP's binary form; empty: there is none
};

struct NewKey {
  std::string recipient;  // the public line
  Secret file;
};

/// A new key for a class.
///
/// created  as the file says it
/// faults   internal
Result<NewKey> make_key(std::string_view of, std::string_view created);

/// Reads such a file, or any identity file of age, without a class then.
///
/// faults   invalid; the message says the line, and nothing of what stands there
Result<Identity> parse_identity(std::string_view file);

/// The OpenPGP public key in the public line; empty: there is none.
///
/// faults   invalid
Result<std::string> openpgp_half(std::string_view recipient);

}  // namespace vestige
