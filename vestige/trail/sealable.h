// Sealable: what is sealed of a change, read from what is stored (docs/decisions/0004-evidence.md,
// docs/format.md "Canonical bytes"). Test: test/evidence_seal_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/entry.h"

namespace vestige {

/// A change as it is sealed. No row may end the sealing: what cannot be read of one is absent, its time 1970, its
/// transaction 0, its table "", its operation UPDATE (docs/format.md, "What cannot be read").
struct Sealable {
  Entry entry;  // without its commitments
  // Canonical bytes; absent where the change has no such part.
  std::optional<std::string> key;
  std::optional<std::string> context;
  std::optional<std::string> values;
  // What of it cannot be read, and why; empty: everything can.
  std::string broken;
};

/// True for a moment that an entry can name: of the years 1 to 9999.
bool is_nameable(std::int64_t at);

/// Of which transactions of PostgreSQL: those from `from` on and below `below` that are not `open`, of their changes
/// those above `floor`; and those that `ended`.
struct DueTransactions {
  std::uint64_t from = 0;
  std::uint64_t below = 0;
  std::vector<std::uint64_t> open;
  std::int64_t floor = 0;
  std::vector<std::uint64_t> ended;
};

/// Which changes: after < id <= upto, at most `limit` of them.
struct SealingRange {
  std::int64_t after = 0;
  std::optional<std::int64_t> upto;
  std::optional<DueTransactions> due;
  std::int64_t limit = 0;  // 0: all
};

/// A stream of them, by id; memory for one.
class Sealables {
 public:
  Sealables() = default;
  Sealables(const Sealables&) = delete;
  Sealables& operator=(const Sealables&) = delete;
  virtual ~Sealables() = default;

  /// Valid until the next call; nullptr at the end.
  ///
  /// faults   offline, conflict
  virtual Result<const Sealable*> next() = 0;
};

/// faults   offline, conflict
Result<std::unique_ptr<Sealables>> read_sealables(Database& db, const SealingRange& range);

/// How an ERASE names what stays of a context whose fields it takes: "context=" and the base64 of the SHA-256
/// of its canonical bytes then. So nobody can alter that afterwards.
std::string context_left(std::string_view canonical);

/// The members of a JSON object as a section of canonical bytes; as one text where it is no object.
class Canonical;
void add_members(Canonical& out, std::string_view section, std::string_view object);

}  // namespace vestige
