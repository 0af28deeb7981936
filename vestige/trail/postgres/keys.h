// The stored text of a row's key, as vestige.key_text makes it of the values that are typed, or were read.
#pragma once

#include <cstdint>
#include <string>

#include "vestige/trail/selection.h"

namespace vestige::postgres {

/// SQL, over parameters that it binds.
std::string stored_key(Where& where, std::int64_t table, const Row& key);

}  // namespace vestige::postgres
