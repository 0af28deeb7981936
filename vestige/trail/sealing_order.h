// Sealing order: which changes come next, and how far the sealer is (docs/decisions/0004-evidence.md,
// "Order"). Test: test/evidence_seal_test.cc, test/postgres_seal_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vestige/trail/evidence_store.h"
#include "vestige/trail/sealing.h"

namespace vestige {

/// A transaction that is not at an end: what stands after it waits.
struct Unfinished {
  std::int64_t since = 0;  // microseconds
  std::string what;
};

class SealingOrder {
 public:
  static Result<std::unique_ptr<SealingOrder>> open(EvidenceStore& store);
  SealingOrder() = default;
  SealingOrder(const SealingOrder&) = delete;
  SealingOrder& operator=(const SealingOrder&) = delete;
  virtual ~SealingOrder() = default;

  /// The changes that come next, `limit` of them unless there are fewer. Reads only.
  ///
  /// returns  nullptr: nothing can be sealed now
  virtual Result<std::unique_ptr<Sealables>> next(std::int64_t limit) = 0;

  /// Writes down that what next() gave is sealed. In the transaction that writes the tree; it excludes
  /// every other sealer until then.
  ///
  /// before   the size of the tree before, and after
  /// last_id  the last change that next() gave; 0: there was none
  /// ended    next() gave fewer than `limit`
  /// faults   conflict: another sealer was faster
  virtual Result<void> advance(std::uint64_t before, std::uint64_t after, std::int64_t last_id,
                               bool ended) = 0;

  /// True when everything that can be sealed is: next() has nothing to look for.
  virtual bool done() const = 0;
  /// Looks again.
  virtual void again() = 0;

  /// The transactions for which changes wait that could be sealed otherwise, oldest first.
  virtual Result<std::vector<Unfinished>> unfinished() = 0;
};

namespace postgres {
Result<std::unique_ptr<SealingOrder>> open_order(EvidenceStore& store);
}  // namespace postgres

}  // namespace vestige
