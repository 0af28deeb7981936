// Files that must be whole and must last: keys, states, checkpoints.
#pragma once

#include <string>
#include <string_view>

#include "vestige/base/result.h"

namespace vestige {

/// The bytes of a file.
///
/// faults   missing (no such file), denied
Result<std::string> file_bytes(const std::string& path);

/// The bytes of a file that is a secret.
///
/// faults   missing, denied (others than its owner may read it, too)
Result<std::string> secret_bytes(const std::string& path);

/// Why the system just refused something of a file, by errno: "make notes.txt: No such file or directory".
///
/// returns  missing, conflict (it is there), else denied
tl::unexpected<Error> file_refused(std::string_view what, const std::string& path);

/// Makes a file that nobody else may read (mode 0600), and nothing when it is there already.
///
/// faults   conflict (it is there), missing (no such directory), denied
Result<void> make_private_file(const std::string& path, std::string_view bytes);

/// Puts a file in the place of another in one step. Once this returns, the file survives a power cut;
/// when it fails, the file before is still there. Nothing that a link leads to is written.
///
/// faults   missing (no such directory), denied
Result<void> replace_file(const std::string& path, std::string_view bytes);

}  // namespace vestige
