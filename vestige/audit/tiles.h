// tiles: a static log in files, as every C2SP client reads it (tlog-tiles): checkpoint, tile/…
#pragma once

#include <string>

#include "vestige/db/database.h"

namespace vestige {

struct TilesWritten {
  std::uint64_t size = 0;   // of the checkpoint
  std::uint64_t files = 0;  // that were new
};

/// Brings a directory up to the trail's last checkpoint; the checkpoint comes last, so that the files for
/// it are there when it is.
///
/// faults   missing (no trail, nothing is sealed), corrupt (the directory is of another log, or ahead),
///          denied, offline
Result<TilesWritten> write_tiles(Database& db, const std::string& directory);

}  // namespace vestige
