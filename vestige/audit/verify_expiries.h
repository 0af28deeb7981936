// What EXPIREs say they took, against the entries: a step of verify.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "vestige/audit/verify.h"
#include "vestige/audit/verify_changes.h"
#include "vestige/audit/verify_holds.h"
#include "vestige/trail/expiry.h"

namespace vestige {

class ExpiryCheck {
 public:
  ExpiryCheck(Database& db, VerifySink& sink, Verdict& verdict, HoldCheck& holds)
      : db_(db), sink_(sink), verdict_(verdict), holds_(holds) {}

  /// What the trail's EXPIREs say.
  Result<void> load();

  /// Says of each entry which EXPIRE names it. The entries come in the tree's order.
  Result<void> mark(std::vector<StoredEntry>& entries);

  /// After the last of them: each EXPIRE must have taken just what it says.
  ///
  /// sealed   whether a change is an entry itself
  Result<void> finish(const std::map<std::int64_t, std::uint64_t>& gone,
                      const std::function<bool(std::int64_t)>& sealed);

 private:
  struct Seen {
    Expiry said;
    Sha256 leaves;
    std::uint64_t count = 0;
    bool others = false;        // of another table, or younger, or beyond its ids
    std::string untimely = {};  // what of its times is not so
    std::int64_t at = 0;
    std::optional<std::int64_t> kept_since = {};
    std::int64_t set_back =
        0;  // one that says an earlier time than what stood before it, which was not over
  };
  Result<void> report(std::int64_t change, const std::string& why);

  Database& db_;
  VerifySink& sink_;
  Verdict& verdict_;
  HoldCheck& holds_;
  std::map<std::int64_t, Seen> expiries_;
};

}  // namespace vestige
