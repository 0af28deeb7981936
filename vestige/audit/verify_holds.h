// What EXPIREs and ERASEs took, against the holds that were in force: a step of verify. Test: test/verify_holds_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "vestige/audit/verify.h"
#include "vestige/audit/verify_time.h"
#include "vestige/record/entry.h"
#include "vestige/record/filter.h"
#include "vestige/trail/held_names.h"
#include "vestige/trail/hold.h"

namespace vestige {

/// Only what can still be told counts: of what expired that is table, time, operation, id and transaction, of what was erased also what it
/// did not lose.
class HoldCheck {
 public:
  HoldCheck(Database& db, VerifySink& sink, Verdict& verdict)
      : db_(db), sink_(sink), verdict_(verdict) {}

  /// Which holds there are and were, as the trail records them, and what its ERASEs took of what they name.
  Result<void> load();

  /// A sealed change that an EXPIRE names.
  void expired(std::int64_t by, const Entry& entry);

  /// After the last of them: names each EXPIRE and ERASE that took something past a hold.
  ///
  /// times    of all entries
  Result<void> finish(const TimeCheck& times);

 private:
  struct Kept {
    Hold hold;
    std::optional<Filter> filter;  // nothing: nobody can read it, and it kept everything
  };
  struct Took {
    std::int64_t first = 0;
    std::uint64_t changes = 0;
  };
  void took(std::int64_t by, const Change& change, bool whole);
  Result<void> erased();

  Database& db_;
  VerifySink& sink_;
  Verdict& verdict_;
  std::vector<Kept> holds_;
  HeldNames names_;
  std::map<std::pair<std::int64_t, std::size_t>, Took>
      took_;  // by EXPIRE or ERASE, and place of the hold
};

}  // namespace vestige
