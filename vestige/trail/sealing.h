// Sealing: what is sealed of the changes that a database keeps, in which order, and who may seal now. The tables in which the
// tree stands are alike on both (evidence_store.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "vestige/trail/sealing_order.h"

namespace vestige {

class Sealing {
 public:
  Sealing() = default;
  Sealing(const Sealing&) = delete;
  Sealing& operator=(const Sealing&) = delete;
  virtual ~Sealing() = default;

  /// What is sealed of changes, by id (see read_sealables).
  virtual Result<std::unique_ptr<Sealables>> sealables(const SealingRange& range) = 0;

  /// Which changes come next, and how far it is.
  virtual Result<std::unique_ptr<SealingOrder>> order(EvidenceStore& store) = 0;

  /// Every change, by id, and whether one without an entry waits for the sealer (1): it was put in where it does not (0).
  ///
  /// last_id  the last change that has an entry
  virtual Result<std::unique_ptr<Rows>> waiting(std::int64_t last_id) = 0;

  /// The last change that was sealed, where that is in the order of their ids.
  virtual Result<std::optional<std::int64_t>> last() = 0;

  /// Keeps other sealers and erasures away until the transaction ends (see EvidenceStore::hold).
  virtual Result<void> hold(std::string_view patience) = 0;

  /// A checkpoint's note, or a line of it, in characters that this database can keep.
  virtual Result<std::string> kept(std::string_view note) = 0;

  /// Indexes by who made it what was recorded since the last time; nothing where that is done already, or may not be done now.
  virtual Result<void> index_who() = 0;

  /// One moment for a long read; nothing where that would keep writers from committing: each query sees its own there.
  virtual Result<std::optional<ReadTransaction>> still() = 0;
};

std::unique_ptr<Sealing> sealing_of(Database& db);

}  // namespace vestige
