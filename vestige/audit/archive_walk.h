// What the parts of an archive say of each other: which were recorded, what was erased and what expired. Gathered while they are walked,
// judged at the end. For verify_archive.cc. Test: test/archive_forged_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "vestige/audit/archive.h"
#include "vestige/record/evidence.h"
#include "vestige/source/archived_proof.h"
#include "vestige/trail/expiry.h"

namespace vestige {

class ArchiveWalk {
 public:
  /// What a proved entry says of others: an ERASE, an EXPIRE, or that a part was written.
  void learn(const Entry& entry, const Evidence& evidence);

  /// Whether one of its entries records a part.
  bool records(const RecordedPart& part) const;
  /// The hash of another manifest that is recorded for the range of a part; "": none.
  std::string records_instead(const RecordedPart& part) const;
  /// Whether an EXPIRE names the entry.
  bool expired(std::uint64_t index) const;
  /// Whether ERASEs say that they took just these parts.
  bool erased(const TakenAway& taken) const;

 private:
  void learn_erased(std::int64_t by, std::string_view canonical);
  void learn_expired(std::string_view canonical);
  void learn_recorded(std::uint64_t index, std::string_view canonical);

  struct Recorded {
    RecordedPart part;
    std::uint64_t index = 0;  // of the entry that says so
  };
  std::vector<Recorded> recorded_;
  std::map<std::uint64_t, std::vector<Leaves>> leaves_;  // by bundle
  std::map<std::int64_t, std::set<std::pair<std::int64_t, std::string>>>
      erased_;  // change: by, part
};

}  // namespace vestige
