// Changes against their entries: a step of verify.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "vestige/audit/verify.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/sealing.h"

namespace vestige {

/// An entry of the tree, as it stands there.
struct StoredEntry {
  std::int64_t id = 0;
  std::uint64_t index = 0;
  std::string line;
  Salts salts;
};

/// "change 17 (UPDATE of products)"
std::string described(const Entry& entry);

class ChangeCheck {
 public:
  ChangeCheck(Database& db, VerifySink& sink, Verdict& verdict)
      : db_(db), sink_(sink), verdict_(verdict) {}

  /// Holds the changes of some entries against them. The entries come in the tree's order.
  ///
  /// covered  how many entries of the tree the last checkpoint covers
  Result<void> check(std::vector<StoredEntry> entries, std::uint64_t covered);

 private:
  struct Erasure {
    std::int64_t by = 0;
    std::string parts;
  };
  Result<void> cluster(const StoredEntry* begin, const StoredEntry* end);
  Result<void> compare(const StoredEntry& stored, const Sealable& change);
  Result<void> differ(const StoredEntry& stored, const Sealable& change, const Entry& made);
  Result<void> deleted(const StoredEntry& stored);
  Result<std::vector<Erasure>> erasures(std::int64_t change);
  Result<void> report(const Discrepancy& discrepancy);
  void count(const StoredEntry& stored, bool erased);

  Database& db_;
  VerifySink& sink_;
  Verdict& verdict_;
  std::uint64_t covered_ = 0;
};

}  // namespace vestige
