#include "vestige/feed/event_text.h"

#include <arpa/inet.h>

#include <algorithm>

#include "vestige/base/json.h"

namespace vestige {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::string_view kEllipsis = "\xe2\x80\xa6";     // U+2026

// How many bytes the letter at the beginning has; 0: it is none.
std::size_t letter_bytes(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes.front());
  const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return size <= bytes.size() && json::is_utf8(bytes.substr(0, size)) ? size : 0;
}

// C0, DEL and C1.
bool is_control(std::string_view letter) {
  const auto first = static_cast<unsigned char>(letter.front());
  if (letter.size() == 1) return first < 0x20 || first == 0x7f;
  return letter.size() == 2 && first == 0xc2 && static_cast<unsigned char>(letter[1]) < 0xa0;
}

bool is_plain_ascii(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::string rewritten(std::string_view bytes, bool controls) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t size = letter_bytes(bytes);
    const std::string_view letter = bytes.substr(0, std::max<std::size_t>(size, 1));
    if (size == 0 || (!controls && is_control(letter))) out += kReplacement;
    else out += letter;
    bytes.remove_prefix(letter.size());
  }
  return out;
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void append_row(JsonObject& object, std::string_view name, const std::optional<Row>& row) {
  object.json(name, row.has_value() ? to_json(*row) : "null");
}

}  // namespace

std::string readable(std::string_view bytes) {
  return json::is_utf8(bytes) ? std::string(bytes) : rewritten(bytes, true);
}

std::string printable_text(std::string_view bytes) {
  return is_plain_ascii(bytes) ? std::string(bytes) : rewritten(bytes, false);
}

std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most - kEllipsis.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) --end;
  text.resize(end);
  return text.append(kEllipsis);
}

std::string plain(const Value& value) {
  const Token* token = std::get_if<Token>(&value);
  if (token == nullptr || !token->text.starts_with('"')) return to_display(value);
  const auto text = json::unquote(token->text);
  return text.has_value() ? *text : token->text;
}

std::string plain(const Row& key) {
  if (key.size() == 1) return plain(key.front().value);
  std::string out;
  for (const Field& field : key) {
    if (!out.empty()) out += ", ";
    out += field.name;
    out += '=';
    out += plain(field.value);
  }
  return out;
}

int ip_version(const std::string& address) {
  in6_addr bytes = {};
  if (inet_pton(AF_INET, address.c_str(), &bytes) == 1) return 4;
  return inet_pton(AF_INET6, address.c_str(), &bytes) == 1 ? 6 : 0;
}

std::optional<std::string> trace_id(const Context& context) {
  constexpr std::size_t kBytes = 55;
  const std::string* text = context.get("traceparent");
  if (text == nullptr || text->size() < kBytes) return std::nullopt;
  const std::string version = text->substr(0, 2);
  if (!is_hex(version) || version == "ff" || (version == "00" && text->size() != kBytes) ||
      (text->size() > kBytes && (*text)[kBytes] != '-') || (*text)[2] != '-' ||
      (*text)[35] != '-' || (*text)[52] != '-')
    return std::nullopt;
  std::string trace = text->substr(3, 32);
  const std::string parent = text->substr(36, 16);
  if (!is_hex(trace) || !is_hex(parent) || !is_hex(text->substr(53, 2)) ||
      trace.find_first_not_of('0') == std::string::npos ||
      parent.find_first_not_of('0') == std::string::npos)
    return std::nullopt;
  return trace;
}

std::string headline(const Change& change) {
  std::string out(name(change.op));
  for (const std::string& word : {change.table, plain(change.key)})
    if (!word.empty()) out += ' ' + word;
  return out;
}

std::string& JsonObject::member(std::string_view name) {
  if (out_.size() > begin_) out_ += ',';
  json::append_string(out_, name);
  return out_ += ':';
}

void JsonObject::text(std::string_view name, std::string_view bytes) {
  if (json::is_utf8(bytes)) json::append_string(member(name), bytes);
  else json::append_string(member(name), readable(bytes));
}

void JsonObject::text(std::string_view name, const std::string* bytes) {
  if (bytes != nullptr) text(name, *bytes);
}

void JsonObject::number(std::string_view name, std::int64_t number) {
  member(name) += std::to_string(number);
}

void append_record(JsonObject& object, const Change& change) {
  if (change.index.has_value()) object.number("index", static_cast<std::int64_t>(*change.index));
  object.number("tx", change.tx);
  object.json("key", to_json(change.key));
  if (change.new_key.has_value()) append_row(object, "new_key", change.new_key);
  append_row(object, "old_values", change.old_values);
  append_row(object, "new_values", change.new_values);
  if (change.op == Op::update) object.json("changed_fields", list_json(change.changed_fields()));
  object.json("context", to_json(change.context));
  if (change.db_user.has_value()) object.text("db_user", *change.db_user);
  if (!change.erased.empty()) {
    JsonObject erased(object.member("erased"));
    for (const ErasedPart& one : change.erased) erased.number(one.part, one.by);
  }
  if (takes_away(change.op)) object.number("erases", change.erases);
  if (!change.unreadable.empty()) object.text("unreadable", change.unreadable);
}

}  // namespace vestige
