// Receipts, requests to a witness and witness policies.
#include <cstddef>
#include <cstdint>

#include "test/fuzz/property.h"
#include "vestige/audit/check.h"
#include "vestige/merkle/receipt.h"
#include "vestige/merkle/witness.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vestige;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto receipt = merkle::parse_receipt(text); receipt.has_value())
    fuzz::must(merkle::to_text(*receipt) == text, "a receipt is written as it was read");
  if (const auto request = merkle::parse_add_checkpoint(text); request.has_value())
    fuzz::must(merkle::to_text(*request) == text, "a request is written as it was read");
  if (const auto quorum = merkle::parse_quorum(text); quorum.has_value()) {
    std::vector<merkle::Signed> all;
    for (const auto& witness : quorum->witnesses) all.push_back({witness.key, 1});
    fuzz::must(quorum->reached(all), "everybody is enough");
    fuzz::must(!quorum->reached({}) || quorum->needed == "none", "nobody is not");
  }
  fuzz::must(!check_receipt(text, {}).has_value(), "nothing is proved to whom trusts nobody");
  return 0;
}
