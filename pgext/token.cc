#include "pgext/token.h"

#include <cstdint>
#include <cstring>

namespace vestige::native {
namespace {

constexpr std::size_t kSalt = 16;
constexpr std::size_t kNonces[] = {12, 16};  // of alg 1, of alg 2
constexpr std::size_t kFileKey = 16;
constexpr std::size_t kShort = 43;  // 32 bytes in base64, without padding

// The value of a letter of bech32; more than 31: none.
unsigned letter(char c) {
  const char* letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  const char* found = c == '\0' ? nullptr : std::strchr(letters, c);
  return found == nullptr ? 32 : static_cast<unsigned>(found - letters);
}

std::uint32_t add_to_checksum(std::uint32_t state, unsigned value) {
  constexpr std::uint32_t kGenerators[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                           0x2a1462b3};
  const std::uint32_t top = state >> 25;
  state = (state & 0x1ffffff) << 5 ^ value;
  for (int i = 0; i < 5; ++i)
    if ((top >> i & 1) != 0) state ^= kGenerators[i];
  return state;
}

char* append(char* out, const char* text) {
  while (*text != '\0') *out++ = *text++;
  return out;
}

char* append_short(char* out, const unsigned char* bytes32) {
  char text[base64_size(32)];
  to_base64(bytes32, 32, text);
  std::memcpy(out, text, kShort);
  return out + kShort;
}

// What a file's header is made of, and what is made of it.
struct File {
  unsigned char ephemeral[kKeyBytes];
  unsigned char key[kFileKey];
  unsigned char shared[kKeyBytes];
  unsigned char derived[kKeyBytes];
  unsigned char body[kFileKey + kTagBytes];
};

bool write_file(const DataKey& key, const unsigned char* public_key, File* file,
                unsigned char* out) {
  const unsigned char zero[12] = {};
  const unsigned char last[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  unsigned char both[2 * kKeyBytes];
  unsigned char code[kHashBytes];
  if (!random_key(file->ephemeral, sizeof(file->ephemeral)) ||
      !random_key(file->key, sizeof(file->key)) ||
      !x25519(file->ephemeral, public_key, both, file->shared))
    return false;
  std::memcpy(both + kKeyBytes, public_key, kKeyBytes);
  std::memcpy(file->body, file->key, kFileKey);
  if (!hkdf_sha256({file->shared, sizeof(file->shared)}, {both, sizeof(both)},
                   "age-encryption.org/v1/X25519", file->derived) ||
      !chacha_encrypt(file->derived, zero, {nullptr, 0}, file->body, kFileKey))
    return false;
  auto* const start = static_cast<char*>(static_cast<void*>(out));
  char* text = append(start, "age-encryption.org/v1\n-> X25519 ");
  text = append_short(text, both);
  text = append(text, "\n");
  text = append_short(text, file->body);
  text = append(text, "\n---");
  const Bytes header = {start, static_cast<std::size_t>(text - start)};
  if (!hkdf_sha256({file->key, kFileKey}, {nullptr, 0}, "header", file->derived) ||
      !hmac_sha256({file->derived, kKeyBytes}, &header, 1, code))
    return false;
  text = append(text, " ");
  text = append_short(text, code);
  text = append(text, "\n");
  unsigned char* payload = out + (text - start);
  if (!random_salt(payload, kFileKey) ||
      !hkdf_sha256({file->key, kFileKey}, {payload, kFileKey}, "payload", file->derived))
    return false;
  std::memcpy(payload + kFileKey, key.bytes, kKeyBytes);
  if (chacha_encrypt(file->derived, last, {nullptr, 0}, payload + kFileKey, kKeyBytes)) return true;
  wipe(payload + kFileKey, kKeyBytes);
  return false;
}

}  // namespace

bool make_data_key(DataKey* out) {
  unsigned char hash[kHashBytes];
  const char* named = "vestige-data-key";
  const Bytes parts[] = {{named, std::strlen(named)}, {out->bytes, kKeyBytes}};
  if (!random_key(out->bytes, kKeyBytes) || !sha256(parts, 2, hash)) return false;
  std::memcpy(out->id, hash, kKeyIdBytes);
  return true;
}

std::size_t make_token(const DataKey& key, Algorithm algorithm, Bytes place, Bytes value,
                       unsigned char* out) {
  const std::size_t nonce = kNonces[static_cast<int>(algorithm) - 1];
  const std::size_t head = 2 + kKeyIdBytes + nonce;
  std::size_t size = kSalt + value.size;
  unsigned char* const text = out + head;
  unsigned char commit[kHashBytes];
  out[0] = 1;
  out[1] = static_cast<unsigned char>(algorithm);
  std::memcpy(out + 2, key.id, kKeyIdBytes);
  if (!random_salt(out + 2 + kKeyIdBytes, nonce) || !random_salt(text, kSalt)) return 0;
  if (value.size > 0) std::memcpy(text + kSalt, value.at, value.size);
  const Bytes plain = {text, size};
  std::size_t sealed = 0;
  if (sha256(&plain, 1, commit)) {
    if (algorithm == Algorithm::loose) {
      sealed = aes_cbc_encrypt(key.bytes, out + 2 + kKeyIdBytes, text, size);
    } else if (chacha_encrypt(key.bytes, out + 2 + kKeyIdBytes, place, text, size)) {
      sealed = size + kTagBytes;
    }
  }
  if (sealed == 0) {
    wipe(text, size);
    return 0;
  }
  std::memcpy(text + sealed, commit, kHashBytes);
  return head + sealed + kHashBytes;
}

bool age_public_key(const char* text, std::size_t size, unsigned char* out) {
  if (size < kAgeKeyText || std::memcmp(text, "age1", 4) != 0) return false;
  if (size > kAgeKeyText && std::strchr(" \t\r\n", text[kAgeKeyText]) == nullptr) return false;
  // The checksum is over the prefix, too.
  std::uint32_t state = 1;
  for (int i = 0; i < 3; ++i) state = add_to_checksum(state, static_cast<unsigned>(text[i]) >> 5);
  state = add_to_checksum(state, 0);
  for (int i = 0; i < 3; ++i) state = add_to_checksum(state, static_cast<unsigned>(text[i]) & 31U);
  std::uint32_t held = 0;
  unsigned bits = 0;
  std::size_t filled = 0;
  for (std::size_t i = 4; i < kAgeKeyText; ++i) {
    const unsigned value = letter(text[i]);
    if (value > 31) return false;
    state = add_to_checksum(state, value);
    if (i >= kAgeKeyText - 6) continue;
    held = (held << 5 | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out[filled++] = static_cast<unsigned char>(held >> bits & 0xff);
  }
  return state == 1 && filled == kKeyBytes && (held & ((1U << bits) - 1)) == 0;
}

bool wrap_key(const DataKey& key, const unsigned char* public_key, unsigned char* out) {
  File file;
  const bool made = write_file(key, public_key, &file, out);
  wipe(&file, sizeof(file));
  return made;
}

void to_base64(const unsigned char* bytes, std::size_t size, char* out) {
  const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::size_t i = 0;
  for (; i + 2 < size; i += 3) {
    const unsigned three = static_cast<unsigned>(bytes[i]) << 16 |
                           static_cast<unsigned>(bytes[i + 1]) << 8 | bytes[i + 2];
    *out++ = digits[three >> 18];
    *out++ = digits[three >> 12 & 63];
    *out++ = digits[three >> 6 & 63];
    *out++ = digits[three & 63];
  }
  if (i == size) return;
  const bool two = i + 1 < size;
  const unsigned rest =
      static_cast<unsigned>(bytes[i]) << 16 | (two ? static_cast<unsigned>(bytes[i + 1]) << 8 : 0U);
  *out++ = digits[rest >> 18];
  *out++ = digits[rest >> 12 & 63];
  *out++ = two ? digits[rest >> 6 & 63] : '=';
  *out = '=';
}

}  // namespace vestige::native
