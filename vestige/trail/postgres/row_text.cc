#include "vestige/trail/postgres/row_text.h"

#include <algorithm>

namespace vestige::postgres {
namespace {

// The inside of a quoted field; `at` stands behind the first quote, and then behind the last.
bool read_quoted(std::string_view text, std::size_t& at, std::string& out) {
  for (;;) {
    std::size_t end = at;
    while (end < text.size() && text[end] != '"' && text[end] != '\\') ++end;
    out += text.substr(at, end - at);
    if (end == text.size()) return false;
    at = end + 1;
    if (text[end] == '"' && (at == text.size() || text[at] != '"')) return true;
    if (at == text.size()) return false;
    out += text[at++];
  }
}

}  // namespace

bool read_row_text(std::string_view text, std::vector<std::optional<std::string>>& fields) {
  fields.clear();
  if (text.size() < 2 || text.front() != '(' || text.back() != ')') return false;
  const std::string_view body = text.substr(1, text.size() - 2);
  for (std::size_t at = 0;;) {
    if (at < body.size() && body[at] == '"') {
      std::string& field = fields.emplace_back().emplace();
      if (!read_quoted(body, ++at, field)) return false;
      if (at < body.size() && body[at] != ',') return false;
    } else {
      const std::size_t end = std::min(body.find(',', at), body.size());
      const std::string_view field = body.substr(at, end - at);
      if (field.find_first_of("\"\\") != std::string_view::npos) return false;
      if (field.empty()) fields.emplace_back();
      else fields.emplace_back(field);
      at = end;
    }
    if (at == body.size()) return true;
    ++at;  // the comma
  }
}

}  // namespace vestige::postgres
