// What erase does to an archive: each part that has what an ERASE of the trail took is written anew without it (docs/evidence.md,
// "Erasing"; docs/decisions/0031-archives.md). It still proves what it proved: the entries stay. Test: test/erase_archive_test.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/change.h"
#include "vestige/source/manifest.h"

namespace vestige {

struct ArchiveErasing {
  std::uint64_t parts = 0;    // that were written anew
  std::uint64_t changes = 0;  // of which something went
  std::uint64_t held = 0;     // that stay: a hold keeps them, whatever an ERASE says of them
  std::uint64_t left = 0;     // files and folders of runs that were cut off, which went
};

/// Refuses an archive with a part that the trail has not recorded: what stands in it is nobody's word.
///
/// faults   corrupt
Result<void> require_recorded(Database& db, const std::vector<ArchivePart>& parts);

/// Takes from an archive whatever ERASEs of the trail took, also those of long ago: who is killed runs it again. A file is written to a
/// new name; the trail records the manifest that names it, which is put in its place; and the old one goes.
///
/// context  of that record
/// faults   missing (no such directory), corrupt (a part is not what its manifest says, or not recorded: nothing of it is rewritten),
///          conflict (another run writes into it), denied
Result<ArchiveErasing> erase_in_archive(Database& db, const std::string& directory,
                                        const Context& context);

}  // namespace vestige
