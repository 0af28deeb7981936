// archive: a range of the feed as files that need no database: what is proved, and what it says (docs/format.md, "Archive";
// docs/decisions/0031-archives.md). Each part is a folder of its own: written beside, made to last, and renamed at the end; a run that was
// cut off is made again, with the same bytes. Test: test/archive_test.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vestige/audit/check.h"
#include "vestige/db/database.h"
#include "vestige/record/change.h"
#include "vestige/source/manifest.h"
#include "vestige/trail/archived.h"

namespace vestige {

struct ArchiveRequest {
  std::string directory;
  std::optional<std::int64_t> before;  // of the changes of this time or later none
};

/// Writes the part that follows the last one, up to the last checkpoint that covers only what is asked for; and records it in the trail.
///
/// context  of that record
/// told     how many changes are written, and of how many; may be empty
/// returns  the part; nothing where there is none to write
/// faults   missing (no trail, nothing is sealed), corrupt (the archive is of another log, or has a gap), denied, offline
Result<std::optional<ArchivePart>> write_archive(
    Database& db, const ArchiveRequest& request, const Context& context,
    const std::function<void(std::uint64_t, std::uint64_t)>& told = {});

/// Why there was nothing to write, for people.
///
/// faults   as write_archive
Result<std::string> why_nothing_to_archive(Database& db, const ArchiveRequest& request);

/// Records that a part stands in an archive, once. Whoever calls this knows that it follows from the trail.
///
/// context  of that record
Result<void> record_part(Database& db, const RecordedPart& part, const Context& context);

/// What is known of an archive besides itself.
struct ArchiveRecords {
  std::vector<std::string> manifests;                 // hashes: parts have these
  std::optional<std::vector<RecordedPart>> of_trail;  // of the database's; absent: none was asked
};

/// What is wrong with an archive.
struct ArchiveComplaint {
  std::string file;  // path; a part's folder where it is of all of it
  std::string what;
};

struct ArchiveVerdict {
  std::uint64_t parts = 0;
  std::uint64_t from = 0;  // of the first part
  std::uint64_t changes = 0;
  std::uint64_t expired = 0;  // of those: they had expired when they were archived
  std::vector<std::string>
      unrecorded;  // parts whose manifest nobody names: neither a later part, nor `records`
  std::vector<ArchiveComplaint> complaints;
};

/// Walks all of an archive: each file against its part's manifest, each entry up to the part's signed checkpoint, each change as it is
/// read against what was sealed of it, the manifest against the entries, and the parts one to the next. What does not follow from what was
/// sealed (names of today, on PostgreSQL what a type prints as JSON) counts only where the hash of the part's manifest is known: a later part
/// has the change in which the trail recorded it, or `records` has it.
///
/// faults   missing (no such directory), invalid (it is a part of one)
Result<ArchiveVerdict> verify_archive(const std::string& directory, const Trust& trust,
                                      const ArchiveRecords& records = {});

}  // namespace vestige
