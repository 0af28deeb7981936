// Changes against their entries: a step of verify.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "vestige/audit/verify.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/sealable.h"

namespace vestige {

/// An entry of the tree, as it stands there.
struct StoredEntry {
  std::int64_t id = 0;
  std::uint64_t index = 0;
  std::string line;
  Salts salts;
  std::int64_t expired_by = 0;   // the EXPIRE that names it; 0: none does
  std::int64_t counts_from = 0;  // its time, or that of one before it that says a much later one
};

/// "change 17 (UPDATE of products)"
std::string described(const Entry& entry);

class ChangeCheck {
 public:
  /// still    all that is read is of one moment
  ChangeCheck(Database& db, VerifySink& sink, Verdict& verdict, bool still)
      : db_(db), sink_(sink), verdict_(verdict), still_(still) {}

  /// Holds the changes of some entries against them. The entries come in the tree's order.
  ///
  /// covered  how many entries of the tree the last checkpoint covers
  Result<void> check(std::vector<StoredEntry> entries, std::uint64_t covered);

  /// From how many changes each ERASE took parts, by its id.
  const std::map<std::int64_t, std::uint64_t>& erasures() const { return erasures_; }
  /// How many of the changes that each EXPIRE names are gone.
  const std::map<std::int64_t, std::uint64_t>& expired() const { return expired_; }

 private:
  struct Named {
    std::int64_t by = 0;
    std::string parts;
  };
  Result<void> cluster(const StoredEntry* begin, const StoredEntry* end);
  Result<void> compare(StoredEntry stored, Sealable change);
  Result<void> read_anew(StoredEntry& stored, Sealable& change);
  Result<void> differ(const StoredEntry& stored, const Sealable& change, const Entry& made);
  Result<void> gone(const StoredEntry& stored);
  Result<bool> expired_since(const StoredEntry& stored);
  Result<void> deleted(const StoredEntry& stored);
  Result<std::vector<Named>> named(std::int64_t change);
  Result<void> report(const Discrepancy& discrepancy);
  void unreadable(const StoredEntry& stored, const std::string& why);
  void count(const StoredEntry& stored, const std::set<std::int64_t>& erased_by);

  Database& db_;
  VerifySink& sink_;
  Verdict& verdict_;
  bool still_;
  std::uint64_t covered_ = 0;
  std::map<std::int64_t, std::uint64_t> erasures_;
  std::map<std::int64_t, std::uint64_t> expired_;
};

}  // namespace vestige
