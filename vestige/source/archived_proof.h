// What an archive says of a change against what was sealed of it: each name and value that a reader would see follows from the canonical
// bytes that the evidence discloses, or it is named. For vestige/audit/verify_archive.cc. Test: test/archive_forged_test.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/record/evidence.h"
#include "vestige/source/archived_change.h"

namespace vestige {

/// A change of which something is said to have been taken, without a word of it in this entry: an ERASE or EXPIRE must say so.
struct TakenAway {
  std::uint64_t index = 0;
  std::int64_t change = 0;
  std::vector<ErasedPart> parts;  // empty: all of it
};

struct ArchivedProof {
  std::vector<std::string> against;  // what contradicts the entry, or what it is bound to
  std::vector<std::string>
      resting;  // what does not follow from them: the manifest's hash alone binds it
  std::vector<TakenAway> taken;
  bool sqlite = false;  // its context is sealed as SQLite's
};

/// line     of changes.ndjson, from which `said` was read
ArchivedProof proof_of(std::string_view line, const ArchivedChange& said, const Evidence& proved);

}  // namespace vestige
