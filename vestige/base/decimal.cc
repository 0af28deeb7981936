#include "vestige/base/decimal.h"

#include <algorithm>
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

// How many decimals are written; none behind an exponent.
std::size_t decimals(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos || text.find_first_of("eE") != std::string_view::npos)
    return 0;
  return text.size() - point - 1;
}

// The digits as a whole number of units of 10^-scale.
std::string units(const Decimal& number, std::int64_t scale) {
  const std::int64_t places = number.exponent + scale;  // digits of it, when its end is filled up
  std::string out = number.digits;
  if (!out.empty()) out.append(static_cast<std::size_t>(places) - out.size(), '0');
  return out;
}

bool less(const std::string& left, const std::string& right) {
  return left.size() != right.size() ? left.size() < right.size() : left < right;
}

std::string trimmed(std::string digits) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

// The sum of two whole numbers, or the first without the second, which is not larger.
std::string combined(const std::string& large, const std::string& small, bool minus) {
  std::string out(large.size() + 1, '0');
  int carry = 0;
  for (std::size_t i = 0; i < large.size(); ++i) {
    const int a = large[large.size() - 1 - i] - '0';
    const int b = i < small.size() ? small[small.size() - 1 - i] - '0' : 0;
    int digit = minus ? a - b - carry : a + b + carry;
    carry = static_cast<int>(minus ? digit < 0 : digit > 9);
    digit += minus ? 10 * carry : -10 * carry;
    out[large.size() - i] = static_cast<char>('0' + digit);
  }
  out[0] = static_cast<char>('0' + (minus ? 0 : carry));
  return trimmed(std::move(out));
}

// Units of 10^-scale with a point, and at least so many decimals as they are.
std::string with_point(std::string digits, std::int64_t scale, bool negative) {
  const auto places = static_cast<std::size_t>(std::max<std::int64_t>(scale, 0));
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  const bool zero = digits.find_first_not_of('0') == std::string::npos;
  if (places != 0) digits.insert(digits.size() - places, 1, '.');
  return (negative && !zero ? "-" : "") + digits;
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

std::optional<std::string> add_numbers(std::string_view left, std::string_view right) {
  constexpr std::int64_t kMost = 20'000;
  const auto a = read(left);
  const auto b = read(right);
  if (!a.has_value() || !b.has_value()) return std::nullopt;
  const auto scale_of = [](const Decimal& one) {
    return static_cast<std::int64_t>(one.digits.size()) - one.exponent;
  };
  const std::int64_t scale =
      std::max({a->digits.empty() ? 0 : scale_of(*a), b->digits.empty() ? 0 : scale_of(*b),
                static_cast<std::int64_t>(std::max(decimals(left), decimals(right)))});
  if (scale > kMost || std::max(a->exponent, b->exponent) > kMost) return std::nullopt;
  const std::string one = units(*a, scale);
  const std::string other = units(*b, scale);
  const bool swap = less(one, other);
  const std::string& large = swap ? other : one;
  const std::string& small = swap ? one : other;
  return with_point(combined(large, small, a->negative != b->negative), scale,
                    swap ? b->negative : a->negative);
}

std::string negated(std::string_view number) {
  if (number.starts_with('-')) return std::string(number.substr(1));
  if (number.starts_with('+')) number.remove_prefix(1);
  return "-" + std::string(number);
}

}  // namespace vestige
