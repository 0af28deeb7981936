// Text → filter → text → the same filter, which says the same of a change.
#include <cstddef>
#include <cstdint>

#include "test/fuzz/property.h"
#include "vestige/record/filter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using vestige::fuzz::must;
  constexpr std::int64_t kNow = 1'767'225'600'000'000;  // 2026-01-01T00:00:00Z
  const auto filter =
      vestige::parse_filter(std::string_view(reinterpret_cast<const char*>(data), size), kNow);
  if (!filter.has_value()) return 0;
  const std::string printed = vestige::to_text(*filter);
  const auto again = vestige::parse_filter(printed, kNow + 1);
  must(again.has_value(), "a printed filter is read");
  must(vestige::to_text(*again) == printed, "a printed filter is a fixed point");
  vestige::Change change;
  change.op = vestige::Op::update;
  change.table = "t";
  change.old_values = vestige::Row{{"price", vestige::Token{"1.50"}}};
  change.new_values = vestige::Row{{"price", vestige::Text{"refund"}}};
  must(vestige::matches(*filter, change, {}) == vestige::matches(*again, change, {}),
       "a printed filter says the same");
  return 0;
}
