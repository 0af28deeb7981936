// Evidence: one entry, its place in the tree, and what it is bound to. One line of `vestige export`, and
// the extra of a receipt (docs/format.md, "Evidence"):
//
//   {"index":7,"entry":"…","key_salt":"hex","key":"…","context_salt":"hex","context":"…",
//    "values_salt":"hex","values":"…"}                                       (no space, no line end)
//
// entry, key, context and values are the exact bytes, as JSON strings. A part that was erased, or that
// the change does not have, is left out with its salt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/record/entry.h"

namespace vestige {

/// Canonical bytes and the salt of their commitment.
struct Disclosed {
  Salt salt{};
  std::string canonical;  // UTF-8
  bool operator==(const Disclosed&) const = default;
};

struct Evidence {
  std::uint64_t index = 0;
  std::string entry;  // the line, exactly; UTF-8
  std::optional<Disclosed> key;
  std::optional<Disclosed> context;
  std::optional<Disclosed> values;
  bool operator==(const Evidence&) const = default;
};

/// The line, without its line end.
std::string to_line(const Evidence& evidence);

/// Reads a line that to_line made, and nothing else.
///
/// faults   corrupt; the entry is not looked into
Result<Evidence> parse_evidence(std::string_view line);

/// The first line of an export that does not begin with entry 0: the tree of the entries before.
///
///   {"start":1000,"peaks":["base64",…]}     the roots of its full subtrees, largest first
struct EvidenceStart {
  std::uint64_t start = 0;
  std::vector<Hash> peaks;
};

/// The line, without its line end.
std::string to_line(const EvidenceStart& start);

/// True when a line is meant as the first of an export.
bool is_evidence_start(std::string_view line);

/// Reads a line that to_line made, and nothing else.
///
/// faults   corrupt
Result<EvidenceStart> parse_evidence_start(std::string_view line);

/// The first of "key", "context", "values" that is disclosed and is not what the entry is bound to;
/// nothing when all are.
std::optional<std::string_view> not_bound(const Entry& entry, const Evidence& evidence);

}  // namespace vestige
