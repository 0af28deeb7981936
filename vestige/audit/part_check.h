// One part of an archive against itself: its manifest, its signed checkpoint, what was sealed, and what is read. For verify_archive,
// and for whoever needs to know that a part can be relied on. Test: test/archive_test.cc, test/archive_forged_test.cc.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "vestige/audit/archive.h"
#include "vestige/audit/archive_walk.h"
#include "vestige/audit/manifest_check.h"
#include "vestige/base/zstd_file.h"
#include "vestige/merkle/checkpoint.h"
#include "vestige/record/evidence.h"
#include "vestige/source/archived_proof.h"

namespace vestige {

class PartCheck {
 public:
  /// trust   whose signatures are demanded; nullptr: none are checked
  /// each    told of each entry as it is read, in the order of the tree; may be empty
  /// walk    told of what its entries say of others; nullptr: nobody asks
  PartCheck(const ArchivePart& part, const Trust* trust, ArchiveVerdict& verdict,
            std::function<void(const Evidence&)> each = {}, ArchiveWalk* walk = nullptr)
      : part_(part), trust_(trust), verdict_(verdict), each_(std::move(each)), walk_(walk) {}

  /// What stands behind it: the roots of its full subtrees; nothing where it is damaged.
  std::optional<EvidenceStart> run();

  /// What it begins with; nothing where that is entry 0, or where it is damaged.
  const std::optional<EvidenceStart>& start() const { return start_; }

  /// Once every part is walked: whether its manifest is known, and if not, what rests on it alone.
  void judge(const ArchiveRecords& records, const ArchiveWalk& walk);

  /// Says of one of its files what is wrong with it.
  void complain(const std::string& file, const std::string& what);

 private:
  void files();
  void tiles();
  std::optional<ZstdLines> open(std::string_view name);
  std::optional<EvidenceStart> entries(merkle::OpenedCheckpoint opened);
  bool each_entry(ZstdLines& proved, ZstdLines& said, TrailCheck& check, merkle::Frontier& tree,
                  ManifestCheck& manifest);
  bool same(const Evidence& evidence, ZstdLines& said, ManifestCheck& manifest);
  void take(ArchivedProof proof, std::uint64_t index);
  void rest(const std::string& what, std::uint64_t index);

  const ArchivePart& part_;
  const Trust* trust_;
  ArchiveVerdict& verdict_;
  std::function<void(const Evidence&)> each_;
  ArchiveWalk* walk_;
  std::optional<EvidenceStart> start_;
  std::set<std::string> listed_;  // in its manifest
  // What rests on the manifest's hash alone: how often, and the first entry of which.
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> resting_;
  std::vector<TakenAway> taken_;
  std::uint64_t gone_ = 0;  // changes of which nothing but the entry is there
  std::size_t complaints_ = 0;
};

}  // namespace vestige
