// Which parts of a change an ERASE took, as the trail has them in `erased.parts` (docs/format.md, "Canonical bytes"):
//
//   list   part [ "," part ]…      empty: none
//   part   values | key | context=BASE64
//
// SQL takes them apart in its own way: test/erase_attack_test.cc holds the two against each other.
#pragma once

#include <string_view>
#include <vector>

namespace vestige {

/// A part as a list names it.
struct TakenPart {
  std::string_view name;   // "values", "key", "context": up to the first '='
  std::string_view words;  // the whole; of a context, with what stays of it
  bool operator==(const TakenPart&) const = default;
};

/// The parts of a list, in its order; views into it. What nobody knows is a part, too.
std::vector<TakenPart> taken_parts(std::string_view list);

/// Whether a list names a part.
///
/// name     as in TakenPart
bool takes(std::string_view list, std::string_view name);

/// Whether a list names a part in just these words.
bool takes_so(std::string_view list, std::string_view words);

}  // namespace vestige
