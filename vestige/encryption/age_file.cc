#include "vestige/encryption/age_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>
#include <vector>

#include "vestige/base/bytes.h"
#include "vestige/base/cipher.h"

namespace vestige {
namespace {

constexpr std::string_view kVersion = "age-encryption.org/v1\n";
constexpr std::string_view kStanza = "-> ";
constexpr std::string_view kX25519 = "X25519 ";
constexpr std::string_view kEnd = "---";
constexpr std::size_t kFileKey = 16;
constexpr std::size_t kNonce = 16;
constexpr std::size_t kChunk = 65536;
constexpr std::size_t kTag = 16;
constexpr std::size_t kLine = 64;

auto bad() { return fail(Fault::corrupt, "open a wrapped key: it is no whole age file"); }

// Bech32 (BIP 173), without its limit of length.
constexpr std::string_view kLetters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

std::uint32_t checksum(std::string_view prefix, const std::vector<std::uint8_t>& values) {
  constexpr std::array<std::uint32_t, 5> kGenerators = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
                                                        0x3d4233dd, 0x2a1462b3};
  std::uint32_t state = 1;
  const auto add = [&](std::uint32_t value) {
    const std::uint32_t top = state >> 25;
    state = (state & 0x1ffffff) << 5 ^ value;
    for (std::size_t i = 0; i < kGenerators.size(); ++i)
      if ((top >> i & 1) != 0) state ^= kGenerators.at(i);
  };
  for (const char c : prefix) add(static_cast<unsigned char>(c) >> 5);
  add(0);
  for (const char c : prefix) add(static_cast<unsigned char>(c) & 31U);
  for (const std::uint8_t value : values) add(value);
  return state;
}

std::string to_bech32(std::string_view prefix, std::string_view bytes) {
  std::vector<std::uint8_t> values;
  unsigned held = 0;
  unsigned bits = 0;
  for (const char c : bytes) {
    held = (held << 8 | static_cast<unsigned char>(c)) & 0xffff;
    for (bits += 8; bits >= 5; bits -= 5)
      values.push_back(static_cast<std::uint8_t>(held >> (bits - 5) & 31));
  }
  if (bits > 0) values.push_back(static_cast<std::uint8_t>(held << (5 - bits) & 31));
  std::vector<std::uint8_t> padded = values;
  padded.resize(values.size() + 6);
  const std::uint32_t sum = checksum(prefix, padded) ^ 1;
  for (unsigned i = 0; i < 6; ++i)
    values.push_back(static_cast<std::uint8_t>(sum >> 5 * (5 - i) & 31));
  std::string out = fmt::format("{}1", prefix);
  for (const std::uint8_t value : values) out += kLetters[value];
  return out;
}

// The 32 bytes of a lower-case text with this prefix.
std::optional<std::string> from_bech32(std::string_view prefix, std::string_view text) {
  if (!text.starts_with(fmt::format("{}1", prefix))) return std::nullopt;
  text.remove_prefix(prefix.size() + 1);
  std::vector<std::uint8_t> values;
  for (const char c : text) {
    const std::size_t value = kLetters.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    values.push_back(static_cast<std::uint8_t>(value));
  }
  if (values.size() < 6 || checksum(prefix, values) != 1) return std::nullopt;
  values.resize(values.size() - 6);
  std::string out;
  unsigned held = 0;
  unsigned bits = 0;
  for (const std::uint8_t value : values) {
    held = (held << 5 | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(held >> bits & 0xff);
  }
  if (bits >= 5 || (held & ((1U << bits) - 1)) != 0 || out.size() != 32) return std::nullopt;
  return out;
}

// Base64 without padding, in its one spelling.
std::string short_base64(std::string_view bytes) {
  std::string out = to_base64(bytes);
  while (out.ends_with('=')) out.pop_back();
  return out;
}

std::optional<std::string> from_short_base64(std::string_view text) {
  if (text.find('=') != std::string_view::npos) return std::nullopt;
  std::string padded(text);
  while (padded.size() % 4 != 0) padded += '=';
  const auto bytes = from_base64(padded);
  if (!bytes.has_value()) return std::nullopt;
  return *bytes;
}

Secret wrapping_key(std::string_view shared, std::string_view ephemeral, std::string_view own) {
  return hkdf_sha256(shared, fmt::format("{}{}", ephemeral, own), "age-encryption.org/v1/X25519",
                     32);
}

std::string header_code(const Secret& file_key, std::string_view header) {
  const Secret key = hkdf_sha256(file_key.bytes(), "", "header", 32);
  return std::string(view(hmac(key.bytes(), header)));
}

constexpr std::string_view kPrivate = "age-secret-key-";

// The one chunk that there is: number 0, and the last.
std::string chunk_nonce() { return std::string(11, '\0') + '\x01'; }

class Lines {
 public:
  explicit Lines(std::string_view file) : file_(file) {}
  std::optional<std::string_view> next() {
    const std::size_t end = file_.find('\n', place_);
    if (end == std::string_view::npos) return std::nullopt;
    const auto line = file_.substr(place_, end - place_);
    place_ = end + 1;
    return line;
  }
  std::size_t place() const { return place_; }

 private:
  std::string_view file_;
  std::size_t place_ = 0;
};

// The body of a stanza: lines of 64 characters, and a shorter one.
std::optional<std::string> stanza_body(Lines& lines) {
  std::string text;
  for (;;) {
    const auto line = lines.next();
    if (!line.has_value() || line->size() > kLine) return std::nullopt;
    text += *line;
    if (line->size() < kLine) return from_short_base64(text);
  }
}

std::optional<Secret> unwrapped(std::string_view private_key, std::string_view own,
                                std::string_view argument, std::string_view body) {
  const auto ephemeral = from_short_base64(argument);
  if (!ephemeral.has_value() || ephemeral->size() != 32 || body.size() != kFileKey + kTag)
    return std::nullopt;
  const auto shared = x25519(private_key, *ephemeral);
  if (!shared.has_value()) return std::nullopt;
  return chacha_decrypt(wrapping_key(shared->bytes(), *ephemeral, own).bytes(),
                        std::string(12, '\0'), "", body);
}

}  // namespace

std::string age_recipient(std::string_view public_key) { return to_bech32("age", public_key); }

bool holds_private_key(std::string_view text) {
  return std::search(text.begin(), text.end(), kPrivate.begin(), kPrivate.end(),
                     [](unsigned char a, unsigned char b) { return std::tolower(a) == b; }) !=
         text.end();
}

Result<std::string> parse_age_recipient(std::string_view text) {
  auto key = from_bech32("age", text);
  if (key.has_value()) return std::move(*key);
  if (holds_private_key(text))
    return hinted(fail(Fault::invalid, "read a recipient: that is a private key"),
                  "the public half is wanted, age1…, and the private one told to nobody: it stands "
                  "where it was given, and may be in the shell's history");
  return fail(Fault::invalid, "read a recipient: it is none of age");
}

Secret age_identity(std::string_view private_key) {
  std::string text = to_bech32(kPrivate, private_key);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return Secret(std::move(text));
}

Result<Secret> parse_age_identity(std::string_view text) {
  std::string lower(text);
  const bool upper =
      std::none_of(text.begin(), text.end(), [](unsigned char c) { return std::islower(c) != 0; });
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  auto key = upper ? from_bech32(kPrivate, lower) : std::nullopt;
  wipe(lower);
  if (!key.has_value()) return fail(Fault::invalid, "read a private key: it is none of age");
  return Secret(std::move(*key));
}

Result<std::string> age_encrypt(std::string_view public_key, std::string_view plain) {
  if (plain.size() > kChunk) return fail(Fault::invalid, "wrap a key: more than 64 KiB");
  const Secret random(TRY(random_bytes(32 + kFileKey + kNonce)));
  const std::string_view ephemeral = random.bytes().substr(0, 32);
  const Secret file_key(std::string(random.bytes().substr(32, kFileKey)));
  const std::string nonce(random.bytes().substr(32 + kFileKey));
  const std::string share = TRY(x25519_public(ephemeral));
  const auto shared = x25519(ephemeral, public_key);
  if (!shared.has_value()) return fail(Fault::invalid, "wrap a key: the recipient is no key");
  const std::string wrapped =
      TRY(chacha_encrypt(wrapping_key(shared->bytes(), share, public_key).bytes(),
                         std::string(12, '\0'), "", file_key.bytes()));
  std::string out = fmt::format("{}{}{}{}\n{}\n{}", kVersion, kStanza, kX25519, short_base64(share),
                                short_base64(wrapped), kEnd);
  out += fmt::format(" {}\n", short_base64(header_code(file_key, out)));
  out += nonce;
  const Secret key = hkdf_sha256(file_key.bytes(), nonce, "payload", 32);
  out += TRY(chacha_encrypt(key.bytes(), chunk_nonce(), "", plain));
  return out;
}

Result<Secret> age_decrypt(std::string_view private_key, std::string_view file) {
  if (!file.starts_with(kVersion)) return bad();
  const std::string own = TRY(x25519_public(private_key));
  Lines lines(file);
  (void)lines.next();
  std::optional<Secret> file_key;
  for (;;) {
    const std::size_t before = lines.place();
    const auto line = lines.next();
    if (!line.has_value()) return bad();
    if (line->starts_with(kEnd)) {
      const auto code =
          line->starts_with("--- ") ? from_short_base64(line->substr(4)) : std::nullopt;
      if (!code.has_value() || code->size() != 32) return bad();
      if (!file_key.has_value()) return fail(Fault::denied, "open a wrapped key: it is for others");
      if (header_code(*file_key, file.substr(0, before + kEnd.size())) != *code) return bad();
      break;
    }
    if (!line->starts_with(kStanza)) return bad();
    const auto body = stanza_body(lines);
    if (!body.has_value()) return bad();
    std::string_view words = line->substr(kStanza.size());
    if (file_key.has_value() || !words.starts_with(kX25519)) continue;
    words.remove_prefix(kX25519.size());
    file_key = unwrapped(private_key, own, words, *body);
  }
  const std::string_view payload = file.substr(lines.place());
  if (payload.size() < kNonce + kTag || payload.size() > kNonce + kChunk + kTag) return bad();
  const Secret key = hkdf_sha256(file_key->bytes(), payload.substr(0, kNonce), "payload", 32);
  auto plain = chacha_decrypt(key.bytes(), chunk_nonce(), "", payload.substr(kNonce));
  if (!plain.has_value()) return bad();
  return std::move(*plain);
}

}  // namespace vestige
