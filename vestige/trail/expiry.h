// Expiry: what each EXPIRE says it took, in the tables where both databases keep it alike (docs/decisions/0027;
// docs/format.md, "Canonical bytes"). Test: test/expire_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vestige/base/crypto.h"
#include "vestige/db/database.h"

namespace vestige {

struct Expiry {
  std::int64_t change = 0;  // the EXPIRE
  std::int64_t table = 0;
  std::string retention;  // the class, and how long it is kept
  std::string keep;
  std::int64_t horizon = 0;  // what was made before it went, in microseconds since 1970
  std::int64_t first = 0;    // between these ids
  std::int64_t last = 0;
  std::uint64_t changes = 0;
  std::string digest;                  // SHA-256 over their leaves, in the order of the tree
  std::optional<std::string> archive;  // SHA-256 of where they are kept, in hex
};

/// Which entries of a bundle: of entry i bit i % 8 of byte i / 8.
class Leaves {
 public:
  Leaves() : bytes_(32, '\0') {}
  explicit Leaves(std::string bytes) : bytes_(std::move(bytes)) { bytes_.resize(32, '\0'); }
  void set(std::size_t place);
  bool has(std::size_t place) const;
  const std::string& bytes() const { return bytes_; }
  bool operator==(const Leaves&) const = default;

 private:
  std::string bytes_;
};

/// By the number of the bundle.
using LeavesOf = std::map<std::uint64_t, Leaves>;

class ExpiryStore {
 public:
  explicit ExpiryStore(Database& db) : db_(db) {}

  /// A trail that is older has no place for them.
  Result<bool> stands();

  /// Those whose EXPIRE stands in the trail, by it.
  Result<std::vector<Expiry>> all();

  /// Which EXPIREs say of entries of the bundles n up to `end` that they are of them: by bundle, and EXPIRE.
  Result<std::map<std::uint64_t, std::map<std::int64_t, Leaves>>> leaves(std::uint64_t n,
                                                                         std::uint64_t end);

  Result<void> put(const Expiry& expiry, const LeavesOf& leaves);

  /// What an EXPIRE is sealed with as its values; nothing where nothing is kept of it.
  Result<std::optional<std::string>> canonical(std::int64_t change);

 private:
  Result<std::vector<Expiry>> read(std::string_view where, const Params& values);
  std::string table(std::string_view name) const;

  Database& db_;
};

/// Of a table the EXPIRE that reaches furthest: before its horizon not every change is known. Nothing where none expired.
Result<std::optional<Expiry>> horizon_of(Database& db, std::int64_t table);

/// The last change of a table that any EXPIRE took, which need not be the one that reaches furthest; nothing where none expired.
Result<std::optional<std::int64_t>> last_expired(Database& db, std::int64_t table);

/// Which EXPIRE took a change; nothing where none did.
Result<std::optional<Expiry>> expiry_of(Database& db, std::int64_t change);

/// The refusal of what would need changes that expired.
tl::unexpected<Error> has_expired(std::string_view attempt, const Expiry& by);

}  // namespace vestige
