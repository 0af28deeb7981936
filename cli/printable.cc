#include "cli/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <clocale>
#include <cwchar>

#include "vestige/base/letter.h"

namespace vestige::cli {
namespace {

// C0, DEL, C1; and what nobody sees.
bool is_control(std::string_view text, std::size_t at, const Letter& letter) {
  return letter.valid && (letter.code < 0x20 || is_unseen(text, at));
}

// As JSON has it: beyond four digits as two halves.
void append_escaped(std::string& out, char32_t code) {
  auto number = static_cast<unsigned>(code);
  if (number > 0xFFFF) {
    number -= 0x10000;
    out +=
        fmt::format("\\u{:04x}\\u{:04x}", 0xD800U + (number >> 10U), 0xDC00U + (number & 0x3FFU));
    return;
  }
  out += fmt::format("\\u{:04x}", number);
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
    if (letter.valid && (kept || !is_control(text, at, letter))) {
      out += text.substr(at, letter.bytes);
    } else {
      for (std::size_t i = 0; i < letter.bytes; ++i)
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at + i]));
    }
    at += letter.bytes;
  }
  return out;
}

std::string without_private_keys(std::string text) {
  for (const std::string_view begin : {"AGE-SECRET-KEY-1", "PRIVATE+KEY+"})
    for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
      at += begin.size();
      const std::size_t end = std::min(text.find_first_of(" \t\r\n'\"`,;)", at), text.size());
      if (end > at) text.replace(at, end - at, "…");
    }
  return text;
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
    if (letter.code != '\n' && is_control(json, at, letter)) append_escaped(out, letter.code);
    else out += json.substr(at, letter.bytes);
    at += letter.bytes;
  }
  return out;
}

}  // namespace vestige::cli
