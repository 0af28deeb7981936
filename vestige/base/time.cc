#include "vestige/base/time.h"

#include <chrono>

namespace vestige {
namespace {

bool digits_at(std::string_view text, std::size_t first, std::size_t count) {
  return text.substr(first, count).find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::string format_time(std::int64_t micros) {
  std::string text = wall_time(micros, Zone::utc);
  text[text.find(' ')] = 'T';
  return text + 'Z';
}

Result<std::int64_t> read_time(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00.000000Z";
  bool fits = text.size() == kForm.size();
  for (std::size_t i = 0; fits && i < kForm.size(); ++i)
    fits = kForm[i] == '0' ? digits_at(text, i, 1) : text[i] == kForm[i];
  if (!fits) return fail(Fault::invalid, "read a time: not written as {}", kForm);
  return parse_time(text, 0);
}

std::int64_t clock_now() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace vestige
