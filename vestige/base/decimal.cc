#include "vestige/base/decimal.h"

#include <charconv>
#include <cstdint>
#include <string>

namespace vestige {
namespace {

// 0.digits × 10^exponent; the digits begin and end with another than 0, and zero has none.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<Decimal> read(std::string_view text) {
  Decimal number;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    number.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  std::size_t at = 0;
  bool point = false;
  bool any = false;
  for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !point)); ++at) {
    if (text[at] == '.') {
      point = true;
      continue;
    }
    any = true;
    if (!point) ++number.exponent;
    if (number.digits.empty() && text[at] == '0') --number.exponent;
    else number.digits += text[at];
  }
  if (!any) return std::nullopt;
  if (at < text.size()) {
    if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
    ++at;
    if (at + 1 < text.size() && text[at] == '+' && is_digit(text[at + 1])) ++at;
    std::int32_t power = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), power);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    number.exponent += power;
  }
  while (number.digits.ends_with('0')) number.digits.pop_back();
  if (number.digits.empty()) return Decimal();
  return number;
}

int sign(std::int64_t number) { return number < 0 ? -1 : number > 0 ? 1 : 0; }

}  // namespace

std::optional<int> compare_numbers(std::string_view left, std::string_view right) {
  const auto a = read(left);
  const auto b = read(right);
  if (!a.has_value() || !b.has_value()) return std::nullopt;
  if (a->negative != b->negative) return a->negative ? -1 : 1;
  const int larger = a->negative ? -1 : 1;  // when the absolute value of `a` is
  if (a->digits.empty() || b->digits.empty())
    return larger * (static_cast<int>(b->digits.empty()) - static_cast<int>(a->digits.empty()));
  if (a->exponent != b->exponent) return larger * sign(a->exponent - b->exponent);
  return larger * sign(a->digits.compare(b->digits));
}

}  // namespace vestige
