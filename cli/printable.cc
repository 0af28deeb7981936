#include "cli/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <clocale>
#include <cwchar>

namespace vestige::cli {
namespace {

struct Letter {
  char32_t code = 0;
  std::size_t bytes = 1;  // 0 never; 1 also for a byte that is not UTF-8
  bool valid = false;
};

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

// C0, DEL, C1; line and paragraph separators; marks that change the writing direction.
bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029 ||
         code == 0x200E || code == 0x200F || code == 0x061C || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

// Most text: nothing to escape, one column a byte.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

int width_of(char32_t code) {
  static const bool ready = std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
  if (!ready || code < 0x80) return 1;
  const int width = wcwidth(static_cast<wchar_t>(code));
  return width < 0 ? 1 : width;
}

}  // namespace

std::string printable(std::string_view text, bool keep_lines) {
  if (is_plain(text)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Letter letter = letter_at(text, at);
    const bool kept = keep_lines && (letter.code == '\n' || letter.code == '\t');
    if (letter.valid && (kept || !is_control(letter.code))) {
      out += text.substr(at, letter.bytes);
    } else {
      for (std::size_t i = 0; i < letter.bytes; ++i)
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at + i]));
    }
    at += letter.bytes;
  }
  return out;
}

int display_width(std::string_view text) {
  if (is_plain(text)) return static_cast<int>(text.size());
  int width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Letter letter = letter_at(text, at);
    width += width_of(letter.code);
    at += letter.bytes;
  }
  return width;
}

std::string cut(std::string_view text, int width) {
  int used = 0;
  std::size_t fits = 0;  // bytes that leave room for the …
  for (std::size_t at = 0; at < text.size();) {
    const Letter letter = letter_at(text, at);
    used += width_of(letter.code);
    at += letter.bytes;
    if (used < width) fits = at;
    if (used > width) return std::string(text.substr(0, fits)) + "…";
  }
  return std::string(text);
}

std::string printable_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t at = 0; at < json.size();) {
    const Letter letter = letter_at(json, at);
    if (letter.valid && is_control(letter.code) && letter.code != '\n')
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(letter.code));
    else out += json.substr(at, letter.bytes);
    at += letter.bytes;
  }
  return out;
}

}  // namespace vestige::cli
