#include "vestige/base/letter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vestige {
namespace {

struct Range {
  char32_t from;
  char32_t to;
};

// Never seen, whatever stands beside them (Unicode: Default_Ignorable_Code_Point, Bidi_Control, Cc, Zl, Zp, noncharacters).
constexpr std::array<Range, 22> kUnseen = {
    {{0x7F, 0x9F},       {0xAD, 0xAD},      {0x34F, 0x34F},     {0x61C, 0x61C},
     {0x115F, 0x1160},   {0x17B4, 0x17B5},  {0x180E, 0x180E},   {0x200B, 0x200B},
     {0x200E, 0x200F},   {0x2028, 0x202E},  {0x2060, 0x206F},   {0x2800, 0x2800},
     {0x3164, 0x3164},   {0xFDD0, 0xFDEF},  {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
     {0xFFF0, 0xFFFB},   {0xFFFE, 0xFFFF},  {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A},
     {0xE0000, 0xE00FF}, {0xE01F0, 0xE0FFF}}};

// Joiners, and what chooses between forms of the letter before.
constexpr std::array<Range, 5> kForming = {
    {{0x180B, 0x180D}, {0x180F, 0x180F}, {0x200C, 0x200D}, {0xFE00, 0xFE0F}, {0xE0100, 0xE01EF}}};

template <std::size_t N>
bool among(const std::array<Range, N>& ranges, char32_t code) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [code](const Range& range) { return range.from <= code && code <= range.to; });
}

// As many of them and of accents stand on a letter in any script; what comes behind is there for nobody's eyes, and a text that
// consists of them is not walked again and again.
constexpr int kMostOnOne = 32;

// The letter that ends at a place; not valid: none does.
Letter letter_before(std::string_view text, std::size_t end) {
  for (std::size_t bytes = 1; bytes <= 4 && bytes <= end; ++bytes) {
    const Letter letter = letter_at(text, end - bytes);
    if (letter.valid && letter.bytes == bytes) return letter;
  }
  return {};
}

// The letter before that is none of these, nor an accent; 0: there is none, or it is too far away.
char32_t base_before(std::string_view text, std::size_t at) {
  for (int walked = 0; at > 0 && walked < kMostOnOne; ++walked) {
    const Letter letter = letter_before(text, at);
    if (!letter.valid) return 0;
    const bool accent = letter.code >= 0x300 && letter.code < 0x370;
    if (!accent && !among(kForming, letter.code)) return letter.code;
    at -= letter.bytes;
  }
  return 0;
}

// A keycap (1, U+FE0F, U+20E3), or a sign of trade that is shown as a picture: letters below are emoji there, too.
bool chooses_emoji(std::string_view text, std::size_t at, const Letter& letter) {
  if (letter.code != 0xFE0E && letter.code != 0xFE0F) return false;
  const char32_t base = letter_before(text, at).code;
  if (base == 0xA9 || base == 0xAE) return true;
  const std::size_t next = at + letter.bytes;
  const bool has_cap = base == '#' || base == '*' || (base >= '0' && base <= '9');
  return has_cap && next < text.size() && letter_at(text, next).code == 0x20E3;
}

// Letters beyond those of Europe: Latin, Greek and Cyrillic have one form.
bool takes_forms(char32_t code) { return code >= 0x530; }

}  // namespace

Letter letter_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + length > text.size()) return {first, 1, false};
  char32_t code = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {first, 1, false};
    code = code << 6 | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return {first, 1, false};
  return {code, length, true};
}

bool is_unseen(std::string_view text, std::size_t at) {
  const Letter letter = letter_at(text, at);
  if (!letter.valid) return false;
  if (among(kUnseen, letter.code) || (letter.code & 0xFFFEU) == 0xFFFE) return true;
  if (!among(kForming, letter.code)) return false;
  if (chooses_emoji(text, at, letter)) return false;
  if (!takes_forms(base_before(text, at))) return true;
  const bool joins = letter.code == 0x200C || letter.code == 0x200D;
  const std::size_t next = at + letter.bytes;
  return joins && (next >= text.size() || !takes_forms(letter_at(text, next).code));
}

void append_shown(std::string& out, char32_t code) {
  const auto number = static_cast<unsigned>(code);
  out += number > 0xFFFF ? fmt::format("\\u{{{:x}}}", number) : fmt::format("\\u{:04x}", number);
}

}  // namespace vestige
