#include "vestige/privacy/signed_context.h"

#include <algorithm>
#include <array>

#include "vestige/base/bytes.h"
#include "vestige/base/json.h"
#include "vestige/base/pattern.h"

namespace vestige {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kLongest = 86400;  // seconds that a signature may last
constexpr std::int64_t kMostUses = 1'000'000;

auto bad(std::string_view why) {
  return fail(Fault::invalid, "read the signature of a context: {}", why);
}

bool is_nonce_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

// The uses that a nonce allows; nothing: it is none.
std::optional<std::int64_t> uses_of(std::string_view nonce) {
  const std::size_t star = std::min(nonce.find('*'), nonce.size());
  const std::string_view word = nonce.substr(0, star);
  if (word.size() < 16 || word.size() > 64 ||
      !std::all_of(word.begin(), word.end(), is_nonce_letter))
    return std::nullopt;
  if (star == nonce.size()) return 1;
  const auto uses = parse_decimal(nonce.substr(star + 1));
  if (!uses.has_value() || *uses < 2 || *uses > kMostUses) return std::nullopt;
  return static_cast<std::int64_t>(*uses);
}

std::optional<std::int64_t> seconds(std::string_view text) {
  const auto number = parse_decimal(text);
  if (!number.has_value() || *number > 99'999'999'999) return std::nullopt;  // the year 5138
  return static_cast<std::int64_t>(*number);
}

const ContextSigner* find_signer(const ContextSigners& signers, std::string_view name) {
  for (const ContextSigner& one : signers.signers)
    if (!one.keys.empty() && one.keys.front().name == name) return &one;
  return nullptr;
}

bool speaks_for(const ContextSigner& signer, const Context& context) {
  if (signer.actors.empty()) return true;
  const std::string* actor = context.get("actor");
  return std::any_of(signer.actors.begin(), signer.actors.end(), [&](const std::string& pattern) {
    return actor == nullptr ? pattern == "*" : fits_pattern(*actor, pattern);
  });
}

}  // namespace

std::int64_t ContextSignature::uses() const { return uses_of(nonce).value_or(1); }

// "x", the number of the transaction, and a point.
std::string_view ContextSignature::bound_to() const {
  const std::string_view all = nonce;
  if (!all.starts_with('x') || all.find('*') != std::string_view::npos) return {};
  const std::size_t point = all.find('.');
  if (point == std::string_view::npos) return {};
  const std::string_view number = all.substr(1, point - 1);
  return parse_decimal(number).has_value() ? number : std::string_view();
}

Result<ContextSignature> parse_context_signature(std::string_view field) {
  std::array<std::string_view, 6> words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t space = field.find(' ');
    const bool last = i + 1 == words.size();
    if (last != (space == std::string_view::npos))
      return bad("it has six words: signer, origin, issued, expires, nonce, signature");
    words[i] = field.substr(0, space);
    field.remove_prefix(last ? field.size() : space + 1);
  }
  ContextSignature read;
  if (!merkle::is_key_name(words[0]) || !merkle::is_key_name(words[1]))
    return bad("a signer or an origin that is no name");
  read.signer = words[0];
  read.origin = words[1];
  const auto issued = seconds(words[2]);
  const auto expires = seconds(words[3]);
  if (!issued.has_value() || !expires.has_value()) return bad("a time that is no number");
  if (*expires < *issued || *expires - *issued > kLongest)
    return bad("it ends before it begins, or lasts for more than a day");
  read.issued = *issued;
  read.expires = *expires;
  if (!uses_of(words[4]).has_value()) return bad("a nonce that is none");
  read.nonce = words[4];
  const auto bytes = from_base64(words[5]);
  if (!bytes.has_value() || bytes->size() != read.signature.size())
    return bad("what is no base64 of 64 bytes");
  read.signature = to_array<64>(*bytes);
  return read;
}

std::string to_text(const ContextSignature& one) {
  return fmt::format("{} {} {} {} {} {}", one.signer, one.origin, one.issued, one.expires,
                     one.nonce, to_base64(view(one.signature)));
}

std::optional<std::string> signed_fields(const Context& context) {
  std::vector<std::pair<std::string, std::string>> fields = context.fields();
  std::sort(fields.begin(), fields.end());
  std::string out = "{";
  for (const auto& [name, value] : fields) {
    if (name == kSignatureField) continue;
    if (!json::is_utf8(name) || !json::is_utf8(value)) return std::nullopt;
    if (out.size() > 1) out += ',';
    json::append_string(out, name);
    out += ':';
    json::append_string(out, value);
  }
  return out + "}";
}

std::string signed_message(const ContextSignature& one, std::string_view fields) {
  return fmt::format("vestige-context/v1\n{}\n{}\n{}\n{}\n{}\n", one.origin, one.issued,
                     one.expires, one.nonce, fields);
}

SignatureWorth signature_worth(const ContextSigners& signers, const Context& context) {
  const std::string* field = context.get(kSignatureField);
  if (field == nullptr) return {"unsigned"};
  const auto read = parse_context_signature(*field);
  const auto fields = signed_fields(context);
  if (!read.has_value() || !fields.has_value()) return {"bad"};
  const ContextSigner* signer = find_signer(signers, read->signer);
  if (signer == nullptr) return {"unknown-signer"};
  const std::string message = signed_message(*read, *fields);
  const bool holds = std::any_of(
      signer->keys.begin(), signer->keys.end(),
      [&](const merkle::NoteKey& key) { return verify(key.key, message, read->signature); });
  if (!holds || !speaks_for(*signer, context)) return {"bad"};
  if (read->origin != signers.origin) return {"foreign"};
  const std::int64_t end = read->expires * kSecond;
  return {read->bound_to().empty() ? "signed" : "bound", (read->issued - kSignedEarly) * kSecond,
          std::min(end, signer->not_after.value_or(end))};
}

std::string_view signed_word(const ContextSigners& signers, const Context& context,
                             std::int64_t at) {
  return signature_worth(signers, context).at(at);
}

Result<std::string> sign_context(const PrivateKey& key, std::string_view signer,
                                 std::string_view origin, const Context& context,
                                 std::int64_t issued, std::int64_t lifetime, std::string nonce) {
  if (nonce.empty()) nonce = to_hex(TRY(random_bytes(16)));
  const auto fields = signed_fields(context);
  if (!fields.has_value()) return fail(Fault::invalid, "sign a context: a field is not UTF-8");
  ContextSignature made;
  made.signer = signer;
  made.origin = origin;
  made.issued = issued;
  made.expires = issued + lifetime;
  made.nonce = std::move(nonce);
  made.signature = TRY(key.sign(signed_message(made, *fields)));
  std::string text = to_text(made);
  TRY(parse_context_signature(text));  // what nobody could read is not made
  return text;
}

}  // namespace vestige
