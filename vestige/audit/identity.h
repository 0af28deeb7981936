// identity: reading what only a private key opens (docs/privacy.md, "Encrypted columns").
#pragma once

#include <memory>
#include <string>

#include "vestige/db/database.h"

namespace vestige {

/// The database, read with the identity in a file.
///
/// faults   missing, denied (others may read the file, too), invalid (it is no key file)
Result<std::unique_ptr<Database>> with_identity(std::unique_ptr<Database> db,
                                                const std::string& path);

}  // namespace vestige
