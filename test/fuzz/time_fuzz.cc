// Text → moment → RFC 3339 → the same moment.
#include <cstddef>
#include <cstdint>

#include "test/fuzz/property.h"
#include "vestige/base/time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using vestige::fuzz::must;
  constexpr std::int64_t kNow = 1'767'225'600'000'000;  // 2026-01-01T00:00:00Z
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto moment = vestige::parse_time(text, kNow);
  if (!moment.has_value()) return 0;
  const std::string written = vestige::format_time(*moment);
  must(written.size() == 27, "a moment is written in 27 characters");
  const auto again = vestige::parse_time(written, kNow);
  must(again.has_value() && *again == *moment, "a written moment is read back the same");
  return 0;
}
