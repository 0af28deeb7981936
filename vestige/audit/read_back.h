// ReadBack: what of a trail stands in an archive, read back and checked before anything is taken that only the archive has then
// (docs/retention.md, "Archives"). A part is read when something of it is asked for, once. Test: test/expire_archive_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "vestige/audit/archive.h"
#include "vestige/record/evidence.h"
#include "vestige/trail/evidence_store.h"

namespace vestige {

class ReadBack {
 public:
  /// directory  "": there is no archive, and nothing stands in it
  /// faults     missing (no such directory), corrupt (a manifest that cannot be read)
  /// trust      whose signatures are demanded of the parts; nullptr: the trail alone is the measure
  static Result<ReadBack> open(Database& db, const std::string& directory,
                               const Trust* trust = nullptr);

  /// The hash of the manifest of the part that has an entry with all that was sealed of it, but for what an ERASE took; nothing where
  /// none has.
  Result<std::optional<std::string>> keeps(std::uint64_t index);

  /// Whether an entry is the trail's own.
  ///
  /// faults     corrupt
  Result<void> same(const Evidence& evidence);

  /// Reads every part; how many there are.
  Result<std::size_t> all();

  /// What is wrong with the parts that were read: nothing of them counts.
  const std::vector<ArchiveComplaint>& complaints() const { return complaints_; }

 private:
  ReadBack(Database& db, const Trust* trust) : store_(db), trust_(trust) {}
  struct Checked {
    bool good = false;
    std::set<std::uint64_t> lacking;  // entries that are not all there
  };
  Result<Checked> check(const ArchivePart& part);
  Result<void> look(const Evidence& evidence, Checked& checked);
  Result<bool> lacks(const Evidence& evidence);

  EvidenceStore store_;
  const Trust* trust_;
  std::vector<ArchivePart> parts_;
  std::vector<RecordedPart> recorded_;
  std::map<std::string, Checked> checked_;  // by the name of the part
  std::vector<ArchiveComplaint> complaints_;
  std::optional<Bundle> bundle_;  // the last that was looked into
  std::vector<std::string> lines_;
};

}  // namespace vestige
