#include "vestige/record/value.h"

#include <bit>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "vestige/base/bytes.h"
#include "vestige/base/decimal.h"
#include "vestige/base/json.h"

namespace vestige {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

void append_real(std::string& out, double real) {
  if (std::isinf(real)) {
    out += real > 0 ? R"({"$real":"Inf"})" : R"({"$real":"-Inf"})";
    return;
  }
  if (std::isnan(real)) {
    out += R"({"$real":"NaN"})";
    return;
  }
  char text[40];
  const auto [end, error] = std::to_chars(text, text + sizeof text, real);
  const std::string_view shortest(text, static_cast<std::size_t>(end - text));
  out += shortest;
  if (shortest.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void append_tagged_hex(std::string& out, std::string_view tag, std::string_view bytes) {
  out += "{\"";
  out += tag;
  out += "\":\"";
  json::append_hex(out, bytes);
  out += "\"}";
}

constexpr std::string_view kUnrecorded = R"({"$unrecorded":true})";
constexpr std::string_view kRedacted = R"({"$redacted":true})";
constexpr std::string_view kEncrypted = R"({"$encrypted":")";

// {"$blob":"00"} and its relatives; any other object or array is kept as a token.
Result<Value> tagged(std::string_view text) {
  json::Reader reader(text);
  TRY(reader.open('{'));
  if (TRY(reader.more('{')) == 'n') return Value(Token{std::string(text)});
  const std::string tag = TRY(reader.key());
  if (!tag.starts_with('$')) return Value(Token{std::string(text)});
  if (text == kUnrecorded || text == kRedacted) return Value(Token{std::string(text)});
  const json::Span body = TRY(reader.value());
  if (body.kind != json::Kind::string || TRY(reader.more('{')) != 'n')
    return fail(Fault::invalid, "read a value: {} takes one string", tag);
  const std::string content = TRY(json::unquote(body.text));
  if (tag == "$blob") return Value(Blob{TRY(json::from_hex(content))});
  if (tag == "$text") return Value(Text{TRY(json::from_hex(content))});
  if (tag == "$encrypted" && from_base64(content).has_value() &&
      text == fmt::format("{}{}\"}}", kEncrypted, content))
    return Value(Token{std::string(text)});
  if (tag == "$real") {
    if (content == "Inf") return Value(HUGE_VAL);
    if (content == "-Inf") return Value(-HUGE_VAL);
    if (content == "NaN") return Value(std::nan(""));
  }
  return fail(Fault::invalid, "read a value: unknown form {}", tag);
}

Value number(std::string_view text) {
  const char* last = text.data() + text.size();
  if (text.find_first_of(".eE") == std::string_view::npos) {
    std::int64_t integer = 0;
    const auto [end, error] = std::from_chars(text.data(), last, integer);
    if (error == std::errc() && end == last) return integer;
    return Token{std::string(text)};  // more digits than 64 bits hold: keep them
  }
  double real = 0;
  const auto [end, error] = std::from_chars(text.data(), last, real);
  if (error == std::errc() && end == last) return real;
  return Token{std::string(text)};
}

}  // namespace

Value unrecorded() { return Token{std::string(kUnrecorded)}; }

Value redacted() { return Token{std::string(kRedacted)}; }

Value encrypted(std::string_view token, std::string_view of) {
  return Token{fmt::format("{}{}\"}}", kEncrypted, token), std::string(of)};
}

std::optional<std::string> encrypted_token(const Value& value) {
  const auto* token = std::get_if<Token>(&value);
  if (token == nullptr || !token->text.starts_with(kEncrypted)) return std::nullopt;
  return token->text.substr(kEncrypted.size(), token->text.size() - kEncrypted.size() - 2);
}

bool is_withheld(const Value& value) {
  const auto* token = std::get_if<Token>(&value);
  return token != nullptr && (token->text == kUnrecorded || token->text == kRedacted ||
                              token->text.starts_with(kEncrypted));
}

bool is_null(const Value& value) {
  const auto* token = std::get_if<Token>(&value);
  return std::holds_alternative<Null>(value) || (token != nullptr && token->text == "null");
}

bool identical(const Value& left, const Value& right) {
  const auto* a = std::get_if<double>(&left);
  const auto* b = std::get_if<double>(&right);
  if (a != nullptr && b != nullptr)
    return std::bit_cast<std::uint64_t>(*a) == std::bit_cast<std::uint64_t>(*b);
  return left == right;
}

bool same_key(const Value& left, const Value& right) {
  const auto* left_integer = std::get_if<std::int64_t>(&left);
  const auto* right_integer = std::get_if<std::int64_t>(&right);
  const auto* left_real = std::get_if<double>(&left);
  const auto* right_real = std::get_if<double>(&right);
  if (left_integer != nullptr && right_real != nullptr)
    return *right_real < 0x1p63 && static_cast<double>(*left_integer) == *right_real &&
           static_cast<std::int64_t>(*right_real) == *left_integer;
  if (left_real != nullptr && right_integer != nullptr) return same_key(right, left);
  return left == right;
}

void append_json(std::string& out, const Value& value) {
  std::visit(Overloaded{
                 [&](Null) { out += "null"; },
                 [&](std::int64_t integer) { out += std::to_string(integer); },
                 [&](double real) { append_real(out, real); },
                 [&](const Text& text) {
                   if (json::is_utf8(text.bytes)) json::append_string(out, text.bytes);
                   else append_tagged_hex(out, "$text", text.bytes);
                 },
                 [&](const Blob& blob) { append_tagged_hex(out, "$blob", blob.bytes); },
                 [&](const Token& token) { out += token.text; },
             },
             value);
}

std::string to_json(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::string text_json(std::string_view text) { return to_json(Value(Text{std::string(text)})); }

Value text_or_null(std::string_view text) {
  return text.empty() ? Value(Null{}) : Value(Text{std::string(text)});
}

std::string list_json(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + text_json(text);
  return "[" + out + "]";
}

Result<std::vector<std::string>> list_from_json(std::string_view array) {
  std::vector<std::string> out;
  json::Reader reader(array);
  TRY(reader.open('['));
  while (TRY(reader.more('[')) == 'y') out.push_back(TRY(json::unquote(TRY(reader.value()).text)));
  return out;
}

std::optional<std::string> numeral(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value); real != nullptr && std::isfinite(*real))
    return to_json(value);
  if (const auto* token = std::get_if<Token>(&value);
      token != nullptr && compare_numbers(token->text, "0").has_value())
    return token->text;
  return std::nullopt;
}

Result<Value> value_from_json(std::string_view text) {
  json::Reader reader(text);
  const json::Span span = TRY(reader.value());
  TRY(reader.end());
  switch (span.kind) {
    case json::Kind::null: return Value(Null{});
    case json::Kind::boolean:
    case json::Kind::array: return Value(Token{std::string(span.text)});
    case json::Kind::number: return number(span.text);
    case json::Kind::string: return Value(Text{TRY(json::unquote(span.text))});
    case json::Kind::object: return tagged(span.text);
  }
  return fail(Fault::internal, "read a value: unknown kind");
}

std::string to_display(const Value& value) {
  if (const auto* text = std::get_if<Text>(&value)) return text->bytes;
  if (const auto* blob = std::get_if<Blob>(&value)) {
    std::string out = "x'";
    json::append_hex(out, blob->bytes);
    return out + "'";
  }
  if (is_withheld(value)) {
    const auto& [text, of] = std::get<Token>(value);
    return text == kUnrecorded ? "(too large to be recorded)"
           : text == kRedacted ? "(redacted)"
           : of.empty()        ? "(encrypted)"
                               : fmt::format("encrypted ({})", of);
  }
  return to_json(value);
}

const Value* find(const Row& row, std::string_view name) {
  for (const Field& field : row)
    if (field.name == name) return &field.value;
  return nullptr;
}

const Value* find(const std::optional<Row>& row, std::string_view name) {
  return row.has_value() ? find(*row, name) : nullptr;
}

std::string text_in(const std::optional<Row>& row, std::string_view name) {
  const Value* value = find(row, name);
  return value == nullptr || is_null(*value) ? "" : to_display(*value);
}

std::string to_json(const Row& row) {
  std::string out = "{";
  for (const Field& field : row) {
    if (out.size() > 1) out += ',';
    json::append_string(out, field.name);
    out += ':';
    append_json(out, field.value);
  }
  return out + "}";
}

Result<Row> row_from_json(std::string_view text) {
  json::Reader reader(text);
  TRY(reader.open('{'));
  Row row;
  while (TRY(reader.more('{')) == 'y') {
    std::string name = TRY(reader.key());
    if (find(row, name) != nullptr)
      return fail(Fault::invalid, "read a row: column {} stands twice", json::quote(name));
    const json::Span span = TRY(reader.value());
    Value value = TRY(value_from_json(span.text));
    row.push_back({std::move(name), std::move(value)});
  }
  TRY(reader.end());
  return row;
}

}  // namespace vestige
