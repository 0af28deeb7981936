#include "vestige/base/bytes.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "vestige/base/json.h"

namespace vestige {
namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr unsigned char kNone = 0xff;

constexpr std::array<unsigned char, 256> kSixBits = [] {
  std::array<unsigned char, 256> table{};
  table.fill(kNone);
  for (unsigned char i = 0; i < 64; ++i) table[static_cast<unsigned char>(kLetters[i])] = i;
  return table;
}();

}  // namespace

std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  json::append_hex(out, bytes);
  return out;
}

Result<std::string> from_lower_hex(std::string_view hex) {
  if (std::any_of(hex.begin(), hex.end(), [](char c) { return c >= 'A' && c <= 'F'; }))
    return fail(Fault::invalid, "read hex: upper case");
  return json::from_hex(hex);
}

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= have ? kLetters[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

Result<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0)
    return fail(Fault::invalid, "read base64: not a multiple of four characters");
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::size_t have = 4;
    if (i + 4 == text.size())
      while (have > 2 && text[i + have - 1] == '=') --have;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const unsigned char six = k < have ? kSixBits[static_cast<unsigned char>(text[i + k])] : 0;
      if (six == kNone) return fail(Fault::invalid, "read base64: a character that is not base64");
      group = group << 6 | six;
    }
    if ((group & ((1U << 8 * (4 - have)) - 1)) != 0)
      return fail(Fault::invalid, "read base64: bits are set that carry nothing");
    for (std::size_t k = 0; k + 1 < have; ++k)
      out += static_cast<char>(group >> (16 - 8 * k) & 255);
  }
  return out;
}

Result<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t number = 0;
  const char* last = text.data() + text.size();
  const bool plain = !text.empty() && text.front() >= '0' && text.front() <= '9' &&
                     (text.front() != '0' || text.size() == 1);
  if (const auto [end, error] = std::from_chars(text.data(), last, number);
      !plain || error != std::errc() || end != last)
    return fail(Fault::invalid,
                "read a number: {} is not a decimal of 64 bits without leading zeros",
                json::quote(text));
  return number;
}

}  // namespace vestige
