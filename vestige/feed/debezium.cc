#include "vestige/feed/debezium.h"

#include "vestige/base/bytes.h"
#include "vestige/base/json.h"
#include "vestige/feed/event_text.h"

namespace vestige {
namespace {

constexpr std::int64_t kNanosOfMicro = 1000;
constexpr std::string_view kUnavailable = "__debezium_unavailable_value";

// As Debezium's converter of JSON has them: bytes in base64.
void append_value(std::string& out, const Value& value) {
  const auto* token = std::get_if<Token>(&value);
  if (is_withheld(value) || (token != nullptr && token->text == R"({"$encrypted":true})"))
    json::append_string(out, kUnavailable);
  else if (const auto* blob = std::get_if<Blob>(&value); blob != nullptr)
    json::append_string(out, to_base64(blob->bytes));
  else if (const auto* text = std::get_if<Text>(&value); text != nullptr)
    json::append_string(out, readable(text->bytes));
  else append_json(out, value);
}

// The values, and before them what of the key they do not have.
void append_row(JsonObject& payload, std::string_view name, const Row& key,
                const std::optional<Row>& values) {
  if (!values.has_value()) return payload.json(name, "null");
  JsonObject row(payload.member(name));
  for (const Field& field : key)
    if (find(*values, field.name) == nullptr)
      append_value(row.member(readable(field.name)), field.value);
  for (const Field& field : *values) append_value(row.member(readable(field.name)), field.value);
}

std::string_view letter_of(Op op) {
  switch (op) {
    case Op::insert: return "c";
    case Op::update: return "u";
    case Op::remove: return "d";
    case Op::truncate: return "t";
    case Op::baseline: return "r";
    case Op::erase:
    case Op::expire: break;
  }
  return "m";
}

void append_source(JsonObject& payload, const Change& change, const Origin& origin) {
  JsonObject source(payload.member("source"));
  source.text("version", origin.version);
  source.text("connector", "vestige");
  source.text("name", origin.log);
  source.number("ts_ms", change.at / kMicrosOfMilli);
  source.number("ts_us", change.at);
  source.number("ts_ns", change.at * kNanosOfMicro);
  source.text("snapshot", change.op == Op::baseline ? "true" : "false");
  source.text("db", origin.database);
  const std::size_t dot = change.table.find('.');
  if (dot != std::string::npos) source.text("schema", change.table.substr(0, dot));
  source.text("table", dot == std::string::npos ? change.table : change.table.substr(dot + 1));
  source.number("txId", change.tx);
  source.number("change", change.id);
  if (change.index.has_value())
    source.text("sequence", fmt::format("[\"{0}\",\"{0}\"]", *change.index));
}

// An ERASE is a message: it is of no row.
void append_message(JsonObject& payload, const Change& change) {
  JsonObject message(payload.member("message"));
  message.text("prefix", "vestige");
  message.text("content", to_base64(to_json(change)));
}

}  // namespace

std::string debezium(const Change& given, const Origin& origin) {
  const Outgoing outgoing(given);
  const Change& change = outgoing.change();
  std::string out;
  {
    JsonObject payload(out);
    if (takes_away(change.op)) {
      append_message(payload, change);
    } else {
      append_row(payload, "before", change.key, change.old_values);
      append_row(payload, "after", change.new_key.value_or(change.key), change.new_values);
    }
    append_source(payload, change, origin);
    payload.text("op", letter_of(change.op));
    payload.number("ts_ms", change.at / kMicrosOfMilli);
    payload.json("transaction", "null");
  }
  return out;
}

}  // namespace vestige
