#include "vestige/encryption/token.h"

#include <fmt/format.h>

#include "vestige/base/cipher.h"

namespace vestige {
namespace {

constexpr std::size_t kId = 16;
constexpr std::size_t kSalt = kTokenSalt;
constexpr std::size_t kCommit = 32;
constexpr std::size_t kNonces[] = {12, 16};  // of alg 1, of alg 2
constexpr char kChaCha = 1;
constexpr char kAes = 2;

// What stands in a token, piece by piece.
struct Pieces {
  char algorithm = 0;
  std::string_view key;
  std::string_view nonce;
  std::string_view sealed;
  std::string_view commit;
};

std::optional<Pieces> pieces(std::string_view token) {
  if (token.size() < 2 + kId || token[0] != 1 || (token[1] != kChaCha && token[1] != kAes))
    return std::nullopt;
  Pieces out;
  out.algorithm = token[1];
  const std::size_t nonce = kNonces[out.algorithm - 1];
  const std::size_t head = 2 + kId + nonce;
  // The salt and the tag, or a block of its padding.
  if (token.size() < head + kSalt + 16 + kCommit) return std::nullopt;
  out.key = token.substr(2, kId);
  out.nonce = token.substr(2 + kId, nonce);
  out.sealed = token.substr(head, token.size() - head - kCommit);
  out.commit = token.substr(token.size() - kCommit);
  if (out.algorithm == kAes && out.sealed.size() % 16 != 0) return std::nullopt;
  return out;
}

}  // namespace

std::string data_key_id(std::string_view key) {
  return std::string(view(sha256({"vestige-data-key", key})).substr(0, kId));
}

std::string token_place(std::int64_t table, std::int64_t column) {
  return fmt::format("{}\n{}\n", table, column);
}

Result<std::string> make_token(std::string_view key, std::string_view place,
                               std::string_view value) {
  const std::string random = TRY(random_bytes(kNonces[0] + kSalt));
  const std::string_view nonce = std::string_view(random).substr(0, kNonces[0]);
  const std::string_view salt = std::string_view(random).substr(kNonces[0]);
  const Secret plain(fmt::format("{}{}", salt, value));
  std::string out = {1, kChaCha};
  out += data_key_id(key);
  out += nonce;
  out += TRY(chacha_encrypt(key, nonce, place, plain.bytes()));
  out += view(sha256(plain.bytes()));
  return out;
}

std::optional<std::string> key_of_token(std::string_view token) {
  const auto found = pieces(token);
  if (!found.has_value()) return std::nullopt;
  return std::string(found->key);
}

Result<Secret> open_token_salted(std::string_view token, std::string_view key,
                                 std::string_view place) {
  const auto found = pieces(token);
  if (!found.has_value()) return fail(Fault::corrupt, "open an encrypted value: it is no token");
  auto plain = found->algorithm == kChaCha ? chacha_decrypt(key, found->nonce, place, found->sealed)
                                           : aes_cbc_decrypt(key, found->nonce, found->sealed);
  if (!plain.has_value() || plain->bytes().size() < kSalt)
    return fail(Fault::corrupt, "open an encrypted value: its key does not open it in this place");
  if (view(sha256(plain->bytes())) != found->commit)
    return fail(Fault::corrupt, "open an encrypted value: it is not the one that was recorded");
  return std::move(*plain);
}

Result<Secret> open_token(std::string_view token, std::string_view key, std::string_view place) {
  const Secret plain = TRY(open_token_salted(token, key, place));
  return Secret(std::string(plain.bytes().substr(kSalt)));
}

bool commits_to(std::string_view token, std::string_view salt, std::string_view value) {
  const auto found = pieces(token);
  return found.has_value() && salt.size() == kSalt && view(sha256({salt, value})) == found->commit;
}

}  // namespace vestige
