// Debezium's envelope, without a schema: for what reads change data capture today.
#pragma once

#include "vestige/feed/event.h"

namespace vestige {

/// before, after, source, op, ts_ms. Of an UPDATE both have the key and the columns that changed, or all that are recorded where the
/// table's policy has capture = "full". A value that is not there is "__debezium_unavailable_value".
std::string debezium(const Change& change, const Origin& origin);

}  // namespace vestige
