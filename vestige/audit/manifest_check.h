// What a part's manifest says of its changes, made again from the changes. For part_check.cc. Test: test/archive_forged_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "vestige/record/entry.h"
#include "vestige/source/archived_proof.h"
#include "vestige/source/manifest.h"

namespace vestige {

class ManifestCheck {
 public:
  explicit ManifestCheck(const Manifest& manifest);

  /// A change of the part, and its proved entry; what of it does not follow from the manifest is put behind what rests on it.
  void add(const Entry& entry, const ArchivedChange& said, ArchivedProof& proof);
  /// What the manifest says otherwise, for people.
  std::vector<std::string> finish() const;

 private:
  struct Names {
    std::string table;
    std::set<std::string> all;
    std::vector<std::string> key;
  };

  const Manifest& manifest_;
  std::map<std::pair<std::int64_t, std::int64_t>, Names> shapes_;  // by table and shape
  std::map<std::int64_t, std::uint64_t> counts_;                   // changes, by table
  std::set<std::int64_t> shown_;                                   // tables that readers see
  Manifest made_;
};

}  // namespace vestige
