// One part of an archive, as it follows from the trail: the same bytes whenever it is made. For archive.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "vestige/db/database.h"
#include "vestige/source/manifest.h"

namespace vestige {

/// How many changes are written, and of how many; may be empty.
using Told = std::function<void(std::uint64_t, std::uint64_t)>;

/// Writes the files of a part into a folder that is empty, the manifest last.
///
/// note     a signed checkpoint of `upto` entries
Result<Manifest> write_part(Database& db, const std::string& folder, std::uint64_t from,
                            std::uint64_t upto, const std::string& note, const Told& told);

}  // namespace vestige
