// Sealing order: which changes come next, and how far the sealer is (docs/decisions/0004-evidence.md,
// "Order"). Test: test/evidence_seal_test.cc, test/postgres_seal_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vestige/trail/evidence_store.h"
#include "vestige/trail/sealable.h"

namespace vestige {

/// A transaction that is not at an end: what it recorded is sealed when it is.
struct Unfinished {
  std::int64_t since = 0;  // microseconds
  std::string what;
};

/// Needs no key: whoever follows the trail may put changes into their order.
class SealingOrder {
 public:
  SealingOrder() = default;
  SealingOrder(const SealingOrder&) = delete;
  SealingOrder& operator=(const SealingOrder&) = delete;
  virtual ~SealingOrder() = default;

  /// The changes that come next, `limit` of them unless there are fewer. Reads only, outside of transactions.
  ///
  /// returns  nullptr: nothing can be sealed now
  virtual Result<std::unique_ptr<Sealables>> next(std::int64_t limit) = 0;

  /// Writes down that what next() gave is sealed. In the transaction that writes the tree, behind EvidenceStore::hold.
  ///
  /// before   the size of the tree before, and after
  /// last_id  the last change that next() gave; 0: there was none
  /// ended    next() gave fewer than `limit`
  /// returns  false: another sealer was faster, and nothing was written
  virtual Result<bool> advance(std::uint64_t before, std::uint64_t after, std::int64_t last_id,
                               bool ended) = 0;

  /// True when everything that can be sealed is: next() has nothing to look for.
  virtual bool done() const = 0;
  /// Looks again.
  virtual void again() = 0;

  /// False: since done(), nothing was recorded that next() would give, and the tree is still of that size. One small
  /// question, for who asks many times a second.
  virtual Result<bool> due(std::uint64_t size) = 0;

  /// How many changes at once.
  virtual std::int64_t most() const = 0;
  /// True where an empty next() leaves nothing to be written down.
  virtual bool rests() const = 0;

  /// The transactions whose changes cannot be sealed yet, if they made any; oldest first.
  virtual Result<std::vector<Unfinished>> unfinished() = 0;
};

}  // namespace vestige
