// Text → policy → canonical text → the same policy.
#include <cstddef>
#include <cstdint>

#include "test/fuzz/property.h"
#include "vestige/record/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using vestige::fuzz::must;
  const auto policy =
      vestige::policy_from_json(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!policy.has_value()) return 0;
  const std::string canonical = to_json(*policy);
  const auto again = vestige::policy_from_json(canonical);
  must(again.has_value(), "a canonical policy is read");
  must(*again == *policy, "a policy reads back the same");
  must(to_json(*again) == canonical, "a canonical policy is a fixed point");
  return 0;
}
