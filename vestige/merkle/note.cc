#include "vestige/merkle/note.h"

#include <algorithm>
#include <array>

#include "vestige/base/bytes.h"
#include "vestige/base/json.h"

namespace vestige::merkle {
namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";
constexpr std::size_t kIdBytes = 4;
constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kSignatureBytes = 64;

// What Unicode calls a space, beyond ASCII, as UTF-8.
constexpr std::array<std::string_view, 19> kSpaces = {
    "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
    "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
    "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

auto bad_vkey(std::string_view why) {
  return fail(Fault::invalid, "read a public key (vkey): {}", why);
}
auto bad_key_file(std::string_view why) { return fail(Fault::invalid, "read a key file: {}", why); }
auto bad_note(std::string_view why) { return fail(Fault::corrupt, "read a signed note: {}", why); }

std::string id_of(std::string_view name, KeyKind kind, const PublicKey& key) {
  const char byte = static_cast<char>(kind);
  return std::string(
      view(sha256({name, "\n", std::string_view(&byte, 1), view(key.bytes)})).substr(0, kIdBytes));
}

// What an Ed25519 signature of this kind covers.
std::string signed_bytes(KeyKind kind, std::string_view text, std::uint64_t time) {
  if (kind == KeyKind::log) return std::string(text);
  return fmt::format("cosignature/v1\ntime {}\n{}", time, text);
}

struct KeyText {
  std::string_view name;
  std::string_view id;
  std::string_view body;
};

// name+hex+base64; the base64 may have '+' of its own.
std::optional<KeyText> split_key(std::string_view text) {
  const std::size_t first = text.find('+');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('+', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  return KeyText{text.substr(0, first), text.substr(first + 1, second - first - 1),
                 text.substr(second + 1)};
}

std::optional<KeyKind> kind_of(char byte) {
  if (byte == static_cast<char>(KeyKind::log)) return KeyKind::log;
  if (byte == static_cast<char>(KeyKind::cosignature)) return KeyKind::cosignature;
  return std::nullopt;
}

}  // namespace

std::string NoteKey::id() const { return id_of(name, kind, key); }

std::string to_vkey(const NoteKey& key) {
  return key.name + "+" + to_hex(key.id()) + "+" +
         to_base64(static_cast<char>(key.kind) + std::string(view(key.key.bytes)));
}

bool is_key_name(std::string_view name) {
  if (name.empty() || !json::is_utf8(name)) return false;
  if (std::any_of(name.begin(), name.end(),
                  [](unsigned char c) { return c <= ' ' || c == '+' || c == 0x7f; }))
    return false;
  return std::none_of(kSpaces.begin(), kSpaces.end(), [&](std::string_view space) {
    return name.find(space) != std::string_view::npos;
  });
}

Result<NoteKey> parse_vkey(std::string_view vkey) {
  const auto text = split_key(vkey);
  if (!text.has_value()) return bad_vkey("it is written name+id+key");
  if (!is_key_name(text->name))
    return bad_vkey("its name is empty or has a space or a control character");
  const auto body = from_base64(text->body);
  if (!body.has_value()) return bad_vkey("its key is not base64");
  const auto kind = body->empty() ? std::nullopt : kind_of(body->front());
  if (!kind.has_value())
    return bad_vkey("its key is neither Ed25519 (01) nor a cosignature key (04)");
  if (body->size() != 33) return bad_vkey("its key has another length than 33 bytes");
  NoteKey key{std::string(text->name), *kind, {to_array<32>(std::string_view(*body).substr(1))}};
  if (text->id != to_hex(key.id())) return bad_vkey("its id is not the id of its key");
  return key;
}

std::string NoteSignature::line() const {
  return std::string(kDash) + name + " " + to_base64(id + payload) + "\n";
}

Result<NoteSignature> parse_signature_line(std::string_view line) {
  if (!line.starts_with(kDash)) return bad_note("a signature line begins with '— '");
  if (!line.ends_with('\n')) return bad_note("its last line has no line end");
  line = line.substr(kDash.size(), line.size() - kDash.size() - 1);
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || !is_key_name(line.substr(0, space)))
    return bad_note("a signature line names no key");
  const auto body = from_base64(line.substr(space + 1));
  if (!body.has_value() || body->size() <= kIdBytes) return bad_note("a signature is not base64");
  return NoteSignature{std::string(line.substr(0, space)), body->substr(0, kIdBytes),
                       body->substr(kIdBytes)};
}

std::string to_text(const Note& note) {
  std::string out = note.text + "\n";
  for (const NoteSignature& signature : note.signatures) out += signature.line();
  return out;
}

Result<Note> parse_note(std::string_view bytes) {
  if (!json::is_utf8(bytes)) return bad_note("it is not UTF-8");
  if (std::any_of(bytes.begin(), bytes.end(), [](unsigned char c) { return c < ' ' && c != '\n'; }))
    return bad_note("it has a control character");
  const std::size_t blank = bytes.rfind("\n\n");
  if (blank == std::string_view::npos) return bad_note("no empty line parts text and signatures");
  Note note{std::string(bytes.substr(0, blank + 1)), {}};
  bytes.remove_prefix(blank + 2);
  if (bytes.empty()) return bad_note("it has no signature");
  while (!bytes.empty()) {
    const std::string_view line = bytes.substr(
        0, bytes.find('\n') == std::string_view::npos ? bytes.size() : bytes.find('\n') + 1);
    note.signatures.push_back(TRY(parse_signature_line(line)));
    bytes.remove_prefix(line.size());
  }
  return note;
}

Result<std::vector<Signed>> verified(const Note& note, std::span<const NoteKey> known) {
  std::vector<Signed> found;
  for (const NoteSignature& signature : note.signatures)
    for (const NoteKey& key : known) {
      if (signature.name != key.name || signature.id != key.id()) continue;
      const bool cosigned = key.kind == KeyKind::cosignature;
      std::string_view payload = signature.payload;
      Signed one{key, std::nullopt};
      if (payload.size() != kSignatureBytes + (cosigned ? kTimeBytes : 0))
        return bad_note(fmt::format("the signature of {} has another length", key.name));
      if (cosigned) {
        one.time = 0;
        for (const char byte : payload.substr(0, kTimeBytes))
          one.time = *one.time << 8 | static_cast<unsigned char>(byte);
        payload.remove_prefix(kTimeBytes);
      }
      if (!verify(key.key, signed_bytes(key.kind, note.text, one.time.value_or(0)),
                  to_array<kSignatureBytes>(payload)))
        return bad_note(fmt::format("the signature of {} is not of this text", key.name));
      if (std::none_of(found.begin(), found.end(),
                       [&](const Signed& before) { return before.key == key; }))
        found.push_back(std::move(one));
    }
  return found;
}

Result<NoteSigner> NoteSigner::make(std::string_view name, KeyKind kind, std::string_view seed) {
  if (!is_key_name(name))
    return fail(
        Fault::invalid,
        "name a key {}: a name is not empty and has no space, no '+' and no control character",
        json::quote(name));
  PrivateKey secret = TRY(PrivateKey::from_seed(seed));
  NoteKey key{std::string(name), kind, secret.public_key()};
  return NoteSigner(std::move(key), std::move(secret));
}

Result<NoteSigner> NoteSigner::parse(std::string_view key_file) {
  constexpr std::string_view kHead = "PRIVATE+KEY+";
  if (key_file.ends_with('\n')) key_file.remove_suffix(1);
  if (!key_file.starts_with(kHead)) return bad_key_file("it does not begin with PRIVATE+KEY+");
  const auto text = split_key(key_file.substr(kHead.size()));
  if (!text.has_value()) return bad_key_file("it is written PRIVATE+KEY+name+id+seed");
  if (!is_key_name(text->name))
    return bad_key_file("its name is empty or has a space or a control character");
  auto decoded = from_base64(text->body);
  if (!decoded.has_value()) return bad_key_file("its seed is not base64");
  const Secret body(std::move(*decoded));
  const auto kind = body.bytes().empty() ? std::nullopt : kind_of(body.bytes().front());
  if (!kind.has_value() || body.bytes().size() != 33)
    return bad_key_file("its seed is neither Ed25519 (01) nor that of a cosignature key (04)");
  NoteSigner signer = TRY(make(text->name, *kind, body.bytes().substr(1)));
  if (text->id != to_hex(signer.key().id())) return bad_key_file("its id is not the id of its key");
  return signer;
}

Result<NoteSignature> NoteSigner::sign(std::string_view text, std::uint64_t time) const {
  std::string payload;
  if (key_.kind == KeyKind::cosignature)
    for (int shift = 56; shift >= 0; shift -= 8) payload += static_cast<char>(time >> shift & 255);
  const Signature signature = TRY(secret_.sign(signed_bytes(key_.kind, text, time)));
  payload += view(signature);
  return NoteSignature{key_.name, key_.id(), std::move(payload)};
}

Result<Secret> key_file(std::string_view name, KeyKind kind, std::string_view seed) {
  const NoteSigner signer = TRY(NoteSigner::make(name, kind, seed));
  std::string body;
  body.reserve(1 + seed.size());  // so that no copy of the seed is left behind
  body += static_cast<char>(kind);
  body += seed;
  const Secret secret(std::move(body));
  const Secret encoded(to_base64(secret.bytes()));
  std::string line;
  line.reserve(name.size() + encoded.bytes().size() + 32);
  line += "PRIVATE+KEY+";
  line += name;
  line += "+" + to_hex(signer.key().id()) + "+";
  line += encoded.bytes();
  line += "\n";
  return Secret(std::move(line));
}

}  // namespace vestige::merkle
