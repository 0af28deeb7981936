// Sealing on SQLite, for this wing.
#pragma once

#include <memory>

#include "vestige/trail/sealing_order.h"

namespace vestige::sqlite {

Result<std::unique_ptr<Sealables>> read_sealables(Database& db, const SealingRange& range);

Result<std::unique_ptr<SealingOrder>> open_order(EvidenceStore& store);

}  // namespace vestige::sqlite
