#include "vestige/record/canonical.h"

#include "vestige/base/json.h"

namespace vestige {

void append_canonical_text(std::string& out, std::string_view text) {
  if (json::is_utf8(text)) {
    json::append_string(out, text);
    return;
  }
  out += "{\"$text\":\"";
  json::append_hex(out, text);
  out += "\"}";
}

std::string as_utf8(std::string_view bytes) {
  if (json::is_utf8(bytes)) return std::string(bytes);
  std::string out;
  while (!bytes.empty()) {
    std::size_t length = 1;
    while (length < 4 && length < bytes.size() && !json::is_utf8(bytes.substr(0, length))) ++length;
    if (json::is_utf8(bytes.substr(0, length))) {
      out += bytes.substr(0, length);
    } else {
      out += "\xef\xbf\xbd";
      length = 1;
    }
    bytes.remove_prefix(length);
  }
  return out;
}

void Canonical::name(std::string_view name) {
  if (out_.back() != '{') out_ += ',';
  json::append_string(out_, json::is_utf8(name) ? name : as_utf8(name));
  out_ += ':';
}

void Canonical::section(std::string_view section) {
  if (in_section_) out_ += '}';
  name(section);
  out_ += '{';
  in_section_ = true;
}

void Canonical::token(std::string_view field, std::string_view token) {
  name(field);
  out_ += token;
}

void Canonical::text(std::string_view field, std::optional<std::string_view> text) {
  name(field);
  if (text.has_value()) append_canonical_text(out_, *text);
  else out_ += "null";
}

std::string Canonical::take() && {
  out_ += in_section_ ? "}}" : "}";
  return std::move(out_);
}

}  // namespace vestige
