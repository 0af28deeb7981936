// Paths of tiles, bundles, base64 and hex.
#include <cstddef>
#include <cstdint>

#include "test/fuzz/property.h"
#include "vestige/base/bytes.h"
#include "vestige/merkle/tile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vestige;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto tile = merkle::parse_tile_path(text); tile.has_value())
    fuzz::must(merkle::path(*tile) == text, "a path is written as it was read");
  for (unsigned width = 0; width < 8; ++width) {
    const auto entries = merkle::entries_of(text, width);
    if (!entries.has_value()) continue;
    std::string bundle;
    for (const std::string_view entry : *entries)
      fuzz::must(merkle::append_entry(bundle, entry).has_value(), "an entry of a bundle is one");
    fuzz::must(bundle == text, "a bundle is written as it was read");
  }
  if (const auto bytes = from_base64(text); bytes.has_value())
    fuzz::must(to_base64(*bytes) == text, "base64 has one spelling");
  if (const auto bytes = from_lower_hex(text); bytes.has_value())
    fuzz::must(to_hex(*bytes) == text, "hex has one spelling");
  fuzz::must(from_base64(to_base64(text)) == text, "base64 comes back");
  return 0;
}
