// disclosure: one encrypted value of one change, told to somebody who has no key, and who can check it (docs/format.md, "Encrypted
// values"). One JSON line; with the receipt of the change it says what was recorded, and of nothing else.
//
//   {"id":1207,"side":"new","column":"ssn","salt":"hex","value":"…"}                (no space)
//
// Test: test/cli/disclose.txt, test/vectors/disclosure.json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/evidence.h"

namespace vestige {

struct Disclosure {
  std::int64_t id = 0;  // the change's
  std::string side;     // "old" or "new"
  std::string column;   // as it was called then
  std::string salt;     // 16 bytes
  std::string value;    // what the token was made of: the bytes as the database records them
};

/// The line, without its line end.
std::string to_line(const Disclosure& one);

/// faults   corrupt
Result<Disclosure> parse_disclosure(std::string_view line);

/// Nothing where it holds, against evidence that was checked; otherwise why it does not.
std::optional<std::string> not_disclosed(const Disclosure& one, const Evidence& evidence);

/// What a sealed change has of a column that is encrypted: old, new, or both.
///
/// db       read with an identity (with_identity)
/// column   as it was called when the change was recorded
/// faults   invalid (there is no identity), missing (as prove; nothing of the column is encrypted there), denied (the identity does
///          not open it), corrupt
Result<std::vector<Disclosure>> disclose(Database& db, std::int64_t change,
                                         const std::string& column);

}  // namespace vestige
