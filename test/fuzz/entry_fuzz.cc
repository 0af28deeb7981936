// Entries, evidence and the start of an export: one spelling each.
#include <cstddef>
#include <cstdint>

#include "test/fuzz/property.h"
#include "vestige/base/json.h"
#include "vestige/record/canonical.h"
#include "vestige/record/evidence.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vestige;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto entry = parse_entry(text); entry.has_value()) {
    fuzz::must(to_line(*entry) == text, "an entry is written as it was read");
    fuzz::must(json::is_utf8(text), "an entry is UTF-8");
    fuzz::must(text.size() < 7000, "an entry fits into a bundle");
  }
  if (const auto evidence = parse_evidence(text); evidence.has_value())
    fuzz::must(to_line(*evidence) == text, "evidence is written as it was read");
  if (const auto start = parse_evidence_start(text); start.has_value())
    fuzz::must(to_line(*start) == text, "a start is written as it was read");

  Entry named;
  named.op = "INSERT";
  named.table = text;
  const auto again = parse_entry(to_line(named));
  fuzz::must(again.has_value(), "any name makes an entry");
  fuzz::must(to_line(*again) == to_line(named), "an entry is a fixed point");
  fuzz::must(json::is_utf8(as_utf8(text)), "a name is made UTF-8");
  return 0;
}
