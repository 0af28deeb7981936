#include "vestige/base/json.h"

#include <array>
#include <cstdint>

namespace vestige::json {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

auto broken(std::string_view what, std::size_t at) {
  return fail(Fault::invalid, "read json: {} at byte {}", what, at);
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6);
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

// Four hex digits at text[at..at+4).
Result<std::uint32_t> code_unit(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return broken("short \\u escape", at);
  std::uint32_t unit = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) return broken("bad \\u escape", i);
    unit = unit << 4 | static_cast<std::uint32_t>(digit);
  }
  return unit;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  std::size_t i = 0;
  const auto at = [&bytes](std::size_t k) { return static_cast<unsigned char>(bytes[k]); };
  while (i < bytes.size()) {
    const unsigned char lead = at(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || i + length > bytes.size()) return false;
    for (std::size_t k = 1; k < length; ++k)
      if ((at(i + k) & 0xC0) != 0x80) return false;
    const unsigned char second = at(i + 1);
    if (lead == 0xE0 && second < 0xA0) return false;
    if (lead == 0xED && second > 0x9F) return false;
    if (lead == 0xF0 && second < 0x90) return false;
    if (lead == 0xF4 && second > 0x8F) return false;
    i += length;
  }
  return true;
}

void append_string(std::string& out, std::string_view bytes) {
  out += '"';
  std::size_t plain = 0;  // from there on nothing needed an escape: most texts are one such piece
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && c != '"' && c != '\\') continue;
    out += bytes.substr(plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
  }
  out += bytes.substr(plain);
  out += '"';
}

std::string quote(std::string_view bytes) {
  std::string out;
  append_string(out, bytes);
  return out;
}

void append_hex(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

Result<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return fail(Fault::invalid, "read hex: odd number of digits");
  // Two tables, and one look at the end: entries of the feed come as hex from PostgreSQL, megabytes of them.
  using Digits = std::array<std::uint16_t, 256>;
  constexpr std::uint16_t kNone = 0x100;
  static const auto digits = [](int shift) {
    Digits all{};
    for (std::size_t c = 0; c < all.size(); ++c) {
      const int digit = hex_digit(static_cast<char>(c));
      all.at(c) = digit < 0 ? kNone : static_cast<std::uint16_t>(digit << shift);
    }
    return all;
  };
  static const Digits high = digits(4);
  static const Digits low = digits(0);
  std::string out(hex.size() / 2, '\0');
  unsigned all = 0;
  const char* in = hex.data();
  for (char& byte : out) {
    const unsigned read =
        high[static_cast<unsigned char>(in[0])] | low[static_cast<unsigned char>(in[1])];
    all |= read;
    byte = static_cast<char>(read);
    in += 2;
  }
  if (all >= kNone) return fail(Fault::invalid, "read hex: not a hex digit");
  return out;
}

void Reader::space() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
    ++at_;
}

Result<void> Reader::skip_string() {
  for (++at_; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '"') {
      ++at_;
      return {};
    }
    if (static_cast<unsigned char>(c) < 0x20) return broken("control character in string", at_);
    if (c != '\\') continue;
    if (++at_ >= text_.size()) break;
    if (std::string_view("\"\\/bfnrtu").find(text_[at_]) == std::string_view::npos)
      return broken("unknown escape", at_);
    if (text_[at_] == 'u') TRY(code_unit(text_, at_ + 1));
  }
  return broken("string without end", text_.size());
}

Result<void> Reader::skip_number() {
  const auto run = [this] {
    const std::size_t first = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ - first;
  };
  if (text_[at_] == '-') ++at_;
  if (at_ < text_.size() && text_[at_] == '0') {
    ++at_;
  } else if (run() == 0) {
    return broken("number without digits", at_);
  }
  if (at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    if (run() == 0) return broken("number without digits", at_);
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    if (run() == 0) return broken("number without digits", at_);
  }
  return {};
}

// A value that is no list and no object.
Result<void> Reader::skip_simple() {
  const char c = text_[at_];
  if (c == '"') return skip_string();
  if (c == '-' || is_digit(c)) return skip_number();
  for (const std::string_view word : {"null", "true", "false"}) {
    if (text_.substr(at_).starts_with(word)) {
      at_ += word.size();
      return {};
    }
  }
  return broken("value expected", at_);
}

Result<void> Reader::skip_key() {
  space();
  if (at_ >= text_.size() || text_[at_] != '"') return broken("key expected", at_);
  TRY(skip_string());
  space();
  if (at_ >= text_.size() || text_[at_] != ':') return broken("colon expected", at_);
  ++at_;
  return {};
}

// Without recursion: an application may nest as deep as it likes.
Result<void> Reader::skip() {
  std::string open;  // the brackets that are to be closed
  while (true) {
    space();
    if (at_ >= text_.size()) return broken("value missing", at_);
    const char c = text_[at_];
    if (c == '{' || c == '[') {
      ++at_;
      open += c == '{' ? '}' : ']';
      space();
      if (at_ >= text_.size() || text_[at_] != open.back()) {
        if (c == '{') TRY(skip_key());
        continue;
      }
    } else {
      TRY(skip_simple());
    }
    // Behind a value, or at the end of what is empty.
    while (true) {
      if (open.empty()) return {};
      space();
      if (at_ >= text_.size()) return broken("bracket without end", at_);
      const char next = text_[at_];
      if (next != open.back() && next != ',') return broken("comma expected", at_);
      ++at_;
      if (next == ',') break;
      open.pop_back();
    }
    if (open.back() == '}') TRY(skip_key());
  }
}

Result<Span> Reader::value() {
  space();
  const std::size_t first = at_;
  TRY(skip());
  const std::string_view token = text_.substr(first, at_ - first);
  switch (token.front()) {
    case 'n': return Span{Kind::null, token};
    case 't':
    case 'f': return Span{Kind::boolean, token};
    case '"': return Span{Kind::string, token};
    case '{': return Span{Kind::object, token};
    case '[': return Span{Kind::array, token};
    default: return Span{Kind::number, token};
  }
}

Result<void> Reader::open(char bracket) {
  space();
  if (at_ >= text_.size() || text_[at_] != bracket)
    return broken(bracket == '{' ? "object expected" : "array expected", at_);
  ++at_;
  first_ = true;
  return {};
}

Result<char> Reader::more(char bracket) {
  space();
  if (at_ >= text_.size()) return broken("bracket without end", at_);
  if (text_[at_] == (bracket == '{' ? '}' : ']')) {
    ++at_;
    first_ = false;
    return 'n';
  }
  if (!first_) {
    if (text_[at_] != ',') return broken("comma expected", at_);
    ++at_;
  }
  first_ = false;
  return 'y';
}

Result<std::string> Reader::key() {
  space();
  const std::size_t first = at_;
  if (at_ >= text_.size() || text_[at_] != '"') return broken("key expected", at_);
  TRY(skip_string());
  auto name = TRY(unquote(text_.substr(first, at_ - first)));
  space();
  if (at_ >= text_.size() || text_[at_] != ':') return broken("colon expected", at_);
  ++at_;
  return name;
}

Result<void> Reader::end() {
  space();
  if (at_ != text_.size()) return broken("text after the value", at_);
  return {};
}

Result<std::string> unquote(std::string_view token) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"')
    return broken("string expected", 0);
  const std::string_view body = token.substr(1, token.size() - 2);
  std::string out;
  out.reserve(body.size());
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\\') {
      out += body[i];
      continue;
    }
    if (++i >= body.size()) return broken("string without end", i);
    switch (body[i]) {
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case '"':
      case '\\':
      case '/': out += body[i]; break;
      case 'u': {
        std::uint32_t point = TRY(code_unit(body, i + 1));
        i += 4;
        if (point >= 0xD800 && point < 0xDC00) {
          if (body.substr(i + 1, 2) != "\\u") return broken("lone surrogate", i);
          const std::uint32_t low = TRY(code_unit(body, i + 3));
          if (low < 0xDC00 || low > 0xDFFF) return broken("lone surrogate", i);
          point = 0x10000 + ((point - 0xD800) << 10 | (low - 0xDC00));
          i += 6;
        } else if (point >= 0xDC00 && point <= 0xDFFF) {
          return broken("lone surrogate", i);
        }
        append_utf8(out, point);
        break;
      }
      default: return broken("unknown escape", i);
    }
  }
  return out;
}

}  // namespace vestige::json
