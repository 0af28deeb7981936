// What the owner of a long trail waits for: a row's history, erasing, a TRUNCATE of many partitions, and sealing beside a
// transaction that stays open.
#pragma once

#include <string>

namespace vestige::bench {

/// A row's history and the same changes of the view, in a trail that was never analysed.
void histories(const std::string& install, int rounds);

/// Erasing 4,000, 20,000 and 100,000 sealed changes at once, nothing ever analysed.
void erasures(const std::string& install, int rounds);

/// A TRUNCATE of a table of many partitions.
void truncations(const std::string& install, int partitions, int rounds);

/// Sealing what others commit while a transaction that recorded something stays open.
void seals(const std::string& install, int changes, int rounds);

}  // namespace vestige::bench
