// Bytes as text: hex, base64 and decimals, each with exactly one spelling, so that two texts that read
// the same are the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vestige/base/result.h"

namespace vestige {

/// Lower-case hex.
std::string to_hex(std::string_view bytes);

/// Reads lower-case hex; upper case is refused.
///
/// faults   invalid
Result<std::string> from_lower_hex(std::string_view hex);

/// Base64 with padding (RFC 4648, section 4).
std::string to_base64(std::string_view bytes);

/// Reads base64 in its one spelling: padded, without line ends, the bits that carry nothing are zero.
///
/// faults   invalid
Result<std::string> from_base64(std::string_view text);

/// Reads a number of 64 bits: decimal digits without sign and without leading zeros.
///
/// faults   invalid
Result<std::uint64_t> parse_decimal(std::string_view text);

}  // namespace vestige
