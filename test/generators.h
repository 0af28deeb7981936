// Random records for property tests: every storage class, the odd ends of each, and rows of them.
#pragma once

#include <rapidcheck.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "vestige/record/value.h"

namespace vestige {

inline rc::Gen<std::string> any_bytes() {
  return rc::gen::container<std::string>(rc::gen::arbitrary<char>());
}

/// Well-formed UTF-8 with quotes, controls, NUL and characters of every length.
inline rc::Gen<std::string> any_utf8() {
  using namespace std::string_literals;
  const auto character =
      rc::gen::element("a"s, "Z"s, "0"s, " "s, "'"s, "\""s, "\\"s, "\n"s, "\t"s, "\0"s, "\x1f"s,
                       "\x7f"s, "{"s, "$"s, "é"s, "ß"s, "日"s, "\u2028"s, "\uffff"s, "😀"s);
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(character),
                      [](const std::vector<std::string>& parts) {
                        std::string text;
                        for (const std::string& part : parts) text += part;
                        return text;
                      });
}

/// Any double but NaN, drawn by its bits, so that subnormals and infinities come up too.
inline rc::Gen<double> any_real() {
  const auto by_bits = rc::gen::suchThat(
      rc::gen::map(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>()),
                   [](std::uint64_t bits) { return std::bit_cast<double>(bits); }),
      [](double real) { return !std::isnan(real); });
  return rc::gen::weightedOneOf<double>({
      {6, by_bits},
      {3,
       rc::gen::map(rc::gen::arbitrary<std::int32_t>(), [](std::int32_t n) { return n / 100.0; })},
      {2, rc::gen::element(0.0, -0.0, 0.1, 1e15, 1e16, 1e17, 9007199254740993.0, 5e-324, HUGE_VAL,
                           -HUGE_VAL, 2.2250738585072009e-308, 2.2250738585072014e-308,
                           1.7976931348623157e308)},
  });
}

inline rc::Gen<std::int64_t> any_integer() {
  return rc::gen::weightedOneOf<std::int64_t>({
      {3, rc::gen::arbitrary<std::int64_t>()},
      {1, rc::gen::element<std::int64_t>(0, -1, std::numeric_limits<std::int64_t>::min(),
                                         std::numeric_limits<std::int64_t>::max())},
  });
}

/// A value that a column of a database may hold.
inline rc::Gen<Value> any_value() {
  return rc::gen::oneOf(
      rc::gen::just(Value(Null{})), rc::gen::cast<Value>(any_integer()),
      rc::gen::cast<Value>(any_real()),
      rc::gen::map(any_utf8(), [](std::string bytes) { return Value(Text{std::move(bytes)}); }),
      rc::gen::map(any_bytes(), [](std::string bytes) { return Value(Text{std::move(bytes)}); }),
      rc::gen::map(any_bytes(), [](std::string bytes) { return Value(Blob{std::move(bytes)}); }));
}

}  // namespace vestige
