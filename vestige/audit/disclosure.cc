#include "vestige/audit/disclosure.h"

#include "vestige/audit/prove.h"
#include "vestige/base/bytes.h"
#include "vestige/base/json.h"
#include "vestige/encryption/token.h"
#include "vestige/merkle/receipt.h"
#include "vestige/record/entry.h"
#include "vestige/record/value.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/opener.h"

namespace vestige {
namespace {

// What a member of an object is, as it is written there; nothing where there is none.
std::optional<std::string_view> member_of(std::string_view object, std::string_view name) {
  json::Reader reader(object);
  if (!reader.open('{').has_value()) return std::nullopt;
  for (;;) {
    const auto more = reader.more('{');
    if (!more.has_value() || *more == 'n') return std::nullopt;
    const auto key = reader.key();
    const auto value = key.has_value() ? reader.value() : Result<json::Span>(json::Span());
    if (!key.has_value() || !value.has_value()) return std::nullopt;
    if (*key == name) return value->text;
  }
}

// The bytes of the token that stands there.
std::optional<std::string> token_in(const Evidence& evidence, std::string_view side,
                                    std::string_view column) {
  if (!evidence.values.has_value()) return std::nullopt;
  const auto row = member_of(evidence.values->canonical, side);
  const auto value = row.has_value() ? member_of(*row, column) : std::nullopt;
  if (!value.has_value()) return std::nullopt;
  const auto text = encrypted_token(Token{std::string(*value)});
  const auto bytes = text.has_value() ? from_base64(*text) : Result<std::string>(std::string());
  if (!bytes.has_value() || bytes->empty()) return std::nullopt;
  return *bytes;
}

auto bad_disclosure(std::string_view why) {
  return fail(Fault::corrupt, "read a disclosure: {}", why);
}

Result<Evidence> evidence_of(Database& db, std::int64_t change) {
  const auto receipt = TRY(merkle::parse_receipt(TRY(prove(db, change))));
  return parse_evidence(receipt.extra.value_or(""));
}

// A token of SQLite is bound to its column: whichever of those that ever had the name it is.
std::optional<Secret> salted(const std::string& token, const Secret& key, std::int64_t table,
                             const std::vector<Shape>& all, const std::string& column) {
  for (const Shape& shape : all)
    for (const Column& own : shape.columns) {
      if (own.name != column) continue;
      auto plain = open_token_salted(token, key.bytes(), token_place(table, own.id));
      if (plain.has_value()) return std::move(*plain);
    }
  return std::nullopt;
}

}  // namespace

std::string to_line(const Disclosure& one) {
  return fmt::format(R"({{"id":{},"side":"{}","column":{},"salt":"{}","value":{}}})", one.id,
                     one.side, text_json(one.column), to_hex(one.salt), text_json(one.value));
}

Result<Disclosure> parse_disclosure(std::string_view line) {
  const auto text = [&](std::string_view name) -> std::optional<std::string> {
    const auto token = member_of(line, name);
    const auto value = token.has_value() ? value_from_json(*token) : Result<Value>(Null{});
    if (!value.has_value()) return std::nullopt;
    const auto* const bytes = std::get_if<Text>(&*value);
    return bytes != nullptr ? std::optional(bytes->bytes) : std::nullopt;
  };
  const auto id = parse_decimal(member_of(line, "id").value_or(""));
  const auto side = text("side");
  const auto column = text("column");
  const auto salt = text("salt");
  const auto value = text("value");
  if (!id.has_value() || !side.has_value() || !column.has_value() || !salt.has_value() ||
      !value.has_value())
    return bad_disclosure("a part of it is missing");
  const auto bytes = from_lower_hex(*salt);
  if (!bytes.has_value() || bytes->size() != kTokenSalt) return bad_disclosure("its salt is none");
  Disclosure out{static_cast<std::int64_t>(*id), *side, *column, *bytes, *value};
  // One spelling: nothing stands there that nobody looks at.
  if (to_line(out) != line || (*side != "old" && *side != "new"))
    return bad_disclosure("it is not written as one is");
  return out;
}

std::optional<std::string> not_disclosed(const Disclosure& one, const Evidence& evidence) {
  const auto entry = parse_entry(evidence.entry);
  if (!entry.has_value() || entry->id != one.id) return "it is of another change";
  const auto token = token_in(evidence, one.side, one.column);
  if (!token.has_value())
    return fmt::format("the receipt has no encrypted value of {} there", one.column);
  if (!commits_to(*token, one.salt, one.value))
    return fmt::format("{} was another value, or another salt", one.column);
  return std::nullopt;
}

Result<std::vector<Disclosure>> disclose(Database& db, std::int64_t change,
                                         const std::string& column) {
  const std::string attempt = fmt::format("disclose {} of change {}", column, change);
  Opener* const opener = opener_of(db);
  if (opener == nullptr)
    return hinted(fail(Fault::invalid, "{}: whose private key opens it?", attempt),
                  "--identity phi.key");
  const Evidence evidence = TRY(evidence_of(db, change));
  const Entry entry = TRY(parse_entry(evidence.entry));
  const auto all = TRY(shapes(db, entry.table_id));
  std::vector<Disclosure> out;
  for (const std::string side : {"old", "new"}) {
    const auto token = token_in(evidence, side, column);
    const auto id = token.has_value() ? key_of_token(*token) : std::nullopt;
    if (!id.has_value()) continue;
    const Secret* const key = opener->data_key(*id);
    const auto plain =
        key == nullptr ? std::nullopt : salted(*token, *key, entry.table_id, all, column);
    if (!plain.has_value())
      return fail(Fault::denied, "{}: the identity does not open it", attempt);
    out.push_back({change, side, column, std::string(plain->bytes().substr(0, kTokenSalt)),
                   std::string(plain->bytes().substr(kTokenSalt))});
  }
  if (out.empty())
    return hinted(fail(Fault::missing, "{}: it has no encrypted value of it", attempt),
                  fmt::format("vestige show {}", change));
  return out;
}

}  // namespace vestige
