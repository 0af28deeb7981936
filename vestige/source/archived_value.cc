#include "vestige/source/archived_value.h"

#include <optional>
#include <string>
#include <vector>

#include "vestige/base/decimal.h"
#include "vestige/base/json.h"
#include "vestige/record/value.h"

namespace vestige {
namespace {

constexpr int kDeepest = 32;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// PostgreSQL prints a time with a space and hours in its zone, its JSON with a T and minutes.
std::string iso_time(std::string text) {
  const std::size_t size = text.size() - (text.ends_with(" BC") ? 3 : 0);
  if (size >= 3 && (text[size - 3] == '+' || text[size - 3] == '-') && is_digit(text[size - 2]) &&
      is_digit(text[size - 1]))
    text.insert(size, ":00");
  const std::size_t space = text.find(' ');
  if (space != std::string::npos && space + 1 < text.size() && is_digit(text[space + 1]))
    text[space] = 'T';
  return text;
}

// JSON without the spaces between its tokens.
std::string compact(std::string_view text) {
  std::string out;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!inside && (c == ' ' || c == '\n' || c == '\t' || c == '\r')) continue;
    out += c;
    if (inside && c == '\\' && i + 1 < text.size()) out += text[++i];
    else if (c == '"') inside = !inside;
  }
  return out;
}

// The elements of an array as PostgreSQL prints it: "{1,NULL,\"a b\",{2}}"; nothing where it is none.
std::optional<std::vector<std::optional<std::string>>> elements_of(std::string_view text) {
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<std::optional<std::string>> out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string element;
    bool quoted = false;
    int depth = 0;  // an element that is an array stays as it is printed
    bool inside = false;
    for (; at < text.size() && (inside || depth > 0 || text[at] != ','); ++at) {
      const char c = text[at];
      if (c == '"') {
        inside = !inside;
        quoted = true;
        if (depth == 0) continue;
      }
      if (!inside && c == '{') ++depth;
      if (!inside && c == '}') --depth;
      if (c == '\\' && at + 1 < text.size()) {
        if (depth > 0) element += c;
        element += text[++at];
        continue;
      }
      element += c;
    }
    if (inside || depth != 0) return std::nullopt;
    if (!quoted && element == "NULL") out.emplace_back();
    else out.emplace_back(std::move(element));
  }
  return out;
}

bool shows_text(std::string_view shown, const std::string& text, int depth);

bool shows_array(std::string_view shown, const std::string& text, int depth) {
  const auto elements = elements_of(text);
  if (!elements.has_value() || depth > kDeepest) return false;
  json::Reader reader(shown);
  if (!reader.open('[').has_value()) return false;
  for (std::size_t i = 0;; ++i) {
    const auto more = reader.more('[');
    if (!more.has_value()) return false;
    if (*more == 'n') return i == elements->size();
    const auto item = reader.value();
    if (!item.has_value() || i == elements->size()) return false;
    const std::optional<std::string>& element = (*elements)[i];
    const bool null = item->kind == json::Kind::null;
    if (!element.has_value() ? !null : !shows_text(item->text, *element, depth + 1)) return false;
  }
}

bool shows_string(const std::string& shown, const std::string& text) {
  if (shown == text || shown == iso_time(text)) return true;
  const auto inner = json::unquote(text);  // of a json
  return inner.has_value() && *inner == shown;
}

bool shows_text(std::string_view shown, const std::string& text, int depth) {
  const auto value = value_from_json(shown);
  if (value.has_value() && std::holds_alternative<Text>(*value))
    return shows_string(std::get<Text>(*value).bytes, text);
  if (shown == "true") return text == "t" || text == "true";
  if (shown == "false") return text == "f" || text == "false";
  if (shown == text || shown == compact(text) || compact(shown) == compact(text)) return true;
  if (shown.starts_with('[')) return shows_array(shown, text, depth);
  const auto order = compare_numbers(shown, text);
  return order.has_value() && *order == 0;
}

}  // namespace

bool shows(std::string_view shown, std::string_view sealed) {
  if (shown == sealed) return true;
  const auto value = value_from_json(sealed);
  if (!value.has_value() || !std::holds_alternative<Text>(*value)) return false;
  return shows_text(shown, std::get<Text>(*value).bytes, 0);
}

}  // namespace vestige
