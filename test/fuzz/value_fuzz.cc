// Text → value or row → canonical text: what is read once reads back identical, for ever.
#include <cstddef>
#include <cstdint>

#include "test/fuzz/property.h"
#include "vestige/base/json.h"
#include "vestige/record/value.h"

namespace vestige::fuzz {
namespace {

void value_round_trip(std::string_view text) {
  const auto value = value_from_json(text);
  if (!value.has_value()) return;
  const std::string canonical = to_json(*value);
  const auto again = value_from_json(canonical);
  must(again.has_value(), "canonical text is read");
  must(identical(*value, *again), "canonical text reads back identical");
  must(to_json(*again) == canonical, "canonical text is a fixed point");
  must(same_key(*value, *value) || canonical == R"({"$real":"NaN"})", "a value is its own key");
}

void row_round_trip(std::string_view text) {
  const auto row = row_from_json(text);
  if (!row.has_value()) return;
  const std::string canonical = to_json(*row);
  const auto again = row_from_json(canonical);
  must(again.has_value(), "a canonical row is read");
  must(again->size() == row->size(), "a row keeps its columns");
  for (std::size_t i = 0; i < row->size(); ++i) {
    must((*row)[i].name == (*again)[i].name, "a row keeps its columns' names and order");
    must(identical((*row)[i].value, (*again)[i].value), "a row's values read back identical");
  }
  must(to_json(*again) == canonical, "a canonical row is a fixed point");
}

void string_round_trip(std::string_view bytes) {
  if (!json::is_utf8(bytes)) return;
  const auto again = json::unquote(json::quote(bytes));
  must(again.has_value() && *again == bytes, "a quoted string is unquoted to the same bytes");
}

}  // namespace
}  // namespace vestige::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  vestige::fuzz::value_round_trip(text);
  vestige::fuzz::row_round_trip(text);
  vestige::fuzz::string_round_trip(text);
  return 0;
}
