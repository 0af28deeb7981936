// Manifest: what a part of an archive is: which range of the feed, which files with which bytes, and what to know of its changes before
// any of them is opened (docs/format.md, "Archive"). Test: test/archive_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/base/zstd_file.h"
#include "vestige/record/entry.h"
#include "vestige/trail/archived.h"
#include "vestige/trail/catalog.h"

namespace vestige {

/// A file of it, by its path within the part.
struct ArchivedFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::string sha256;  // lower-case hex
  bool operator==(const ArchivedFile&) const = default;
};

/// A table that has changes in it, as it was known then.
struct ArchivedTable {
  Tracked table;
  std::vector<Shape> shapes;  // oldest first
  std::uint64_t changes = 0;  // in this part
};

struct Manifest {
  std::string origin;         // of the log
  std::uint64_t from = 0;     // index of the first entry
  std::uint64_t upto = 0;     // behind the last one; the size of its checkpoint
  std::int64_t first_id = 0;  // of its changes the smallest and the largest
  std::int64_t last_id = 0;
  std::int64_t first_at = 0;  // and of their times
  std::int64_t last_at = 0;
  std::uint64_t expired = 0;  // of its changes: nothing but their entries was there any more
  bool tokens = false;  // values are what the database printed, as JSON; otherwise SQLite's own
  std::vector<ArchivedTable> tables;
  std::vector<ArchivedFile> files;  // by path

  /// Its two files of lines; each has a number in its name where it was written anew: "entries.1.ndjson.zst".
  std::string entries_file() const;
  std::string changes_file() const;

  /// Its ids and times reach to those of an entry, too.
  ///
  /// first    no other was covered before
  void cover(const Entry& entry, bool first);
};

inline constexpr std::string_view kManifestFile = "manifest.json";
inline constexpr std::string_view kEntriesFile = "entries.ndjson.zst";
inline constexpr std::string_view kChangesFile = "changes.ndjson.zst";
inline constexpr std::string_view kCheckpointFile = "checkpoint";

/// The name of a part's folder: "000000000000-000000170000".
std::string part_name(std::uint64_t from, std::uint64_t upto);

/// True for the name of a part's folder while it is written.
bool is_under_way(std::string_view folder);

// How hard its files are packed: salts and hashes do not pack.
inline constexpr int kEntriesLevel = 1;
inline constexpr int kChangesLevel = 9;

/// One line, with its line end.
std::string to_json(const Manifest& manifest);
/// faults   corrupt
Result<Manifest> manifest_from_json(std::string_view text);

/// A part as it stands in a directory.
struct ArchivePart {
  std::string folder;  // its path
  std::string name;
  Manifest manifest;
  std::string sha256;  // of manifest.json, lower-case hex
};

/// The signed checkpoint that it ends with.
///
/// faults   missing, denied, corrupt (it is no file, or much too long)
Result<std::string> note_of(const ArchivePart& part);

/// What a trail records of it, once it is written.
RecordedPart recorded(const ArchivePart& part);

/// What a manifest says of a file.
///
/// faults   corrupt (nothing, or no hash)
Result<FileDigest> listed_digest(const Manifest& manifest, std::string_view path);

/// The parts of an archive, by their ranges. What is under way has a name that begins with a point, and is none.
///
/// faults   missing (no such directory), invalid (it is a part itself), corrupt (a manifest that is not there, cannot be read, or is of
///          another range than its folder says)
Result<std::vector<ArchivePart>> archive_parts(const std::string& directory);

}  // namespace vestige
