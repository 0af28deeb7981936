// Entry: what is sealed of a change, one line of JSON in its one form (docs/format.md).
//
//   {"v":1,"id":1207,"op":"UPDATE","table_id":3,"table":"products","at":"2026-01-02T03:04:05.678901Z",
//    "tx":1205,"key":"…","context":"…","values":"…"}                          (no space, no line end)
//
// key, context and values are commitments: base64(SHA-256(salt || canonical bytes)).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vestige/base/crypto.h"

namespace vestige {

/// 16 random bytes, one for each commitment. All zeros: erased.
using Salt = std::array<unsigned char, 16>;

/// SHA-256(salt || canonical bytes)
Hash commitment(const Salt& salt, std::string_view canonical);

struct Entry {
  std::int64_t id = 0;  // of the change
  std::string op;       // INSERT, UPDATE, DELETE, TRUNCATE, BASELINE, ERASE
  std::int64_t table_id = 0;
  std::string table;        // its name when the change was recorded; to_line cuts it at 1,000 bytes
  std::int64_t at = 0;      // microseconds since 1970-01-01 UTC
  std::int64_t tx = 0;      // as Change::tx
  std::optional<Hash> key;  // absent: the table has none
  std::optional<Hash> context;  // absent: the change has none
  std::optional<Hash> values;   // absent: the op has none (TRUNCATE)
  bool operator==(const Entry&) const = default;
};

/// The line, without its line end; at most 7,000 bytes.
///
/// entry    numbers not negative; op one of the six
std::string to_line(const Entry& entry);

/// Reads a line that to_line made; anything else is refused, also what would be the same JSON.
///
/// faults   corrupt
Result<Entry> parse_entry(std::string_view line);

}  // namespace vestige
