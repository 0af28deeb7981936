// Sealing on PostgreSQL, for this wing.
#pragma once

#include <memory>

#include "vestige/trail/sealing_order.h"

namespace vestige::postgres {

Result<std::unique_ptr<Sealables>> read_sealables(Database& db, const SealingRange& range);

Result<std::unique_ptr<SealingOrder>> open_order(EvidenceStore& store);

/// See Sealing::waiting.
Result<std::unique_ptr<Rows>> changes_waiting(Database& db);

}  // namespace vestige::postgres
