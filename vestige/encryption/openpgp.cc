#include "vestige/encryption/openpgp.h"

#include <rnp/rnp.h>
#include <rnp/rnp_err.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "vestige/base/bytes.h"

namespace vestige {
namespace {

constexpr std::uint32_t kBits = 3072;

struct CloseRnp {
  void operator()(rnp_ffi_st* rnp) const noexcept { rnp_ffi_destroy(rnp); }
};
struct CloseInput {
  void operator()(rnp_input_st* input) const noexcept { rnp_input_destroy(input); }
};
struct CloseOutput {
  void operator()(rnp_output_st* output) const noexcept { rnp_output_destroy(output); }
};
struct CloseKey {
  void operator()(rnp_key_handle_st* key) const noexcept { rnp_key_handle_destroy(key); }
};
struct CloseMaking {
  void operator()(rnp_op_generate_st* op) const noexcept { rnp_op_generate_destroy(op); }
};
struct CloseEncrypting {
  void operator()(rnp_op_encrypt_st* op) const noexcept { rnp_op_encrypt_destroy(op); }
};
using Rnp = std::unique_ptr<rnp_ffi_st, CloseRnp>;
using Input = std::unique_ptr<rnp_input_st, CloseInput>;
using Output = std::unique_ptr<rnp_output_st, CloseOutput>;
using Key = std::unique_ptr<rnp_key_handle_st, CloseKey>;
using Making = std::unique_ptr<rnp_op_generate_st, CloseMaking>;
using Encrypting = std::unique_ptr<rnp_op_encrypt_st, CloseEncrypting>;

Rnp opened() {
  rnp_ffi_t rnp = nullptr;
  if (rnp_ffi_create(&rnp, "GPG", "GPG") != RNP_SUCCESS) return nullptr;
  return Rnp(rnp);
}

Input input_of(std::string_view bytes) {
  rnp_input_t input = nullptr;
  rnp_input_from_memory(&input, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                        false);
  return Input(input);
}

Output memory() {
  rnp_output_t output = nullptr;
  rnp_output_to_memory(&output, 0);
  return Output(output);
}

std::string bytes_of(const Output& output) {
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  if (rnp_output_memory_get_buf(output.get(), &bytes, &size, false) != RNP_SUCCESS) return "";
  return {reinterpret_cast<const char*>(bytes), size};
}

auto refused(std::string_view what) { return fail(Fault::internal, "{}: librnp refuses", what); }

// The primary key signs, its subkey encrypts: pgcrypto takes no other.
Key made(const Rnp& rnp, const Key& primary, std::string_view user) {
  rnp_op_generate_t op = nullptr;
  const rnp_result_t begun =
      primary == nullptr ? rnp_op_generate_create(&op, rnp.get(), "RSA")
                         : rnp_op_generate_subkey_create(&op, rnp.get(), primary.get(), "RSA");
  const Making making(op);
  if (begun != RNP_SUCCESS || rnp_op_generate_set_bits(op, kBits) != RNP_SUCCESS ||
      rnp_op_generate_set_expiration(op, 0) != RNP_SUCCESS)
    return nullptr;
  const std::string name(user);
  if (primary == nullptr && rnp_op_generate_set_userid(op, name.c_str()) != RNP_SUCCESS)
    return nullptr;
  if (primary != nullptr && rnp_op_generate_add_usage(op, "encrypt") != RNP_SUCCESS) return nullptr;
  rnp_key_handle_t key = nullptr;
  if (rnp_op_generate_execute(op) != RNP_SUCCESS ||
      rnp_op_generate_get_key(op, &key) != RNP_SUCCESS)
    return nullptr;
  return Key(key);
}

std::string exported(const Key& key, std::uint32_t half) {
  const Output output = memory();
  if (rnp_key_export(key.get(), output.get(), half | RNP_KEY_EXPORT_SUBKEYS) != RNP_SUCCESS)
    return "";
  return bytes_of(output);
}

// The first key of a ring that is no subkey.
Key first_key(const Rnp& rnp) {
  rnp_identifier_iterator_t keys = nullptr;
  if (rnp_identifier_iterator_create(rnp.get(), &keys, "fingerprint") != RNP_SUCCESS)
    return nullptr;
  Key found;
  const char* name = nullptr;
  while (found == nullptr && rnp_identifier_iterator_next(keys, &name) == RNP_SUCCESS &&
         name != nullptr) {
    rnp_key_handle_t key = nullptr;
    if (rnp_locate_key(rnp.get(), "fingerprint", name, &key) != RNP_SUCCESS || key == nullptr)
      continue;
    Key one(key);
    bool primary = false;
    if (rnp_key_is_primary(key, &primary) == RNP_SUCCESS && primary) found = std::move(one);
  }
  rnp_identifier_iterator_destroy(keys);
  return found;
}

// The first packet of a message: its tag and body, and what stands behind it; nothing where its length is not said or it is cut.
struct Packet {
  unsigned tag = 0;
  std::string_view body;
  std::string_view rest;
};
std::optional<Packet> first_packet(std::string_view message) {
  const auto byte = [&](std::size_t place) -> std::size_t {
    return place < message.size() ? static_cast<unsigned char>(message[place]) : 0U;
  };
  const auto number = [&](std::size_t from, std::size_t size) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < size; ++i) out = out << 8U | byte(from + i);
    return out;
  };
  // The two ways in which OpenPGP writes a packet's length.
  const bool newer = (byte(0) & 0x40U) != 0;
  const std::size_t tag = newer ? byte(0) & 0x3fU : byte(0) >> 2U & 0x0fU;
  std::size_t begin = 2;
  std::size_t size = byte(1);
  if (newer && byte(1) >= 192 && byte(1) < 224) {
    begin = 3;
    size = number(1, 2) - 0xc000 + 192;
  } else if (newer && byte(1) >= 192) {
    if (byte(1) != 0xff) return std::nullopt;  // in parts
    begin = 6;
    size = number(2, 4);
  } else if (!newer) {
    if ((byte(0) & 3U) == 3) return std::nullopt;  // up to the end
    begin = 1 + (std::size_t{1} << (byte(0) & 3U));
    size = number(1, begin - 1);
  }
  if (message.size() < begin || message.size() - begin < size) return std::nullopt;
  return Packet{static_cast<unsigned>(tag), message.substr(begin, size),
                message.substr(begin + size)};
}

// For which keys a message says that it is, each as sixteen hex digits; nothing where it does not say, or says of one that it may be
// anybody's.
std::vector<std::string> meant_for(std::string_view message) {
  constexpr unsigned kSessionKey = 1;
  constexpr char kVersion = 3;
  constexpr std::size_t kKeyId = 8;
  std::vector<std::string> out;
  for (auto packet = first_packet(message); packet.has_value() && packet->tag == kSessionKey;
       packet = first_packet(packet->rest)) {
    if (packet->body.size() < 1 + kKeyId || packet->body[0] != kVersion) return {};
    const std::string_view id = packet->body.substr(1, kKeyId);
    if (id.find_first_not_of('\0') == std::string_view::npos) return {};
    out.push_back(to_hex(id));
  }
  return out;
}

bool has_key(const Rnp& rnp, const std::string& id) {
  rnp_key_handle_t key = nullptr;
  const bool found = rnp_locate_key(rnp.get(), "keyid", id.c_str(), &key) == RNP_SUCCESS;
  const Key owned(key);
  return found && key != nullptr;
}

}  // namespace

Result<OpenPgpKey> make_openpgp_key(std::string_view user) {
  const Rnp rnp = opened();
  if (rnp == nullptr) return refused("make an OpenPGP key");
  const Key primary = made(rnp, nullptr, user);
  if (primary == nullptr || made(rnp, primary, user) == nullptr)
    return refused("make an OpenPGP key");
  OpenPgpKey out{exported(primary, RNP_KEY_EXPORT_PUBLIC),
                 Secret(exported(primary, RNP_KEY_EXPORT_SECRET))};
  if (out.public_half.empty() || out.secret_half.bytes().empty())
    return refused("make an OpenPGP key");
  return out;
}

Result<void> check_openpgp_public(std::string_view public_half) {
  const Rnp rnp = opened();
  const Input ring = input_of(public_half);
  std::size_t count = 0;
  std::size_t secret = 0;
  if (rnp == nullptr || ring == nullptr ||
      rnp_load_keys(rnp.get(), "GPG", ring.get(),
                    RNP_LOAD_SAVE_PUBLIC_KEYS | RNP_LOAD_SAVE_SECRET_KEYS) != RNP_SUCCESS ||
      rnp_get_public_key_count(rnp.get(), &count) != RNP_SUCCESS ||
      rnp_get_secret_key_count(rnp.get(), &secret) != RNP_SUCCESS || count + secret == 0)
    return fail(Fault::invalid, "read a recipient: what follows openpgp: is no OpenPGP key");
  if (secret == 0) return {};
  return hinted(fail(Fault::invalid, "read a recipient: what follows openpgp: is a private key"),
                "the public half is wanted, as vestige keys generate printed it");
}

Result<Secret> open_openpgp(std::string_view secret_half, std::string_view message) {
  const Rnp rnp = opened();
  const Input ring = input_of(secret_half);
  const Input input = input_of(message);
  const Output output = memory();
  const auto ids = meant_for(message);
  // librnp complains on stderr of what is for other keys alone: it is not asked.
  if (rnp == nullptr || ring == nullptr || input == nullptr || output == nullptr ||
      rnp_load_keys(rnp.get(), "GPG", ring.get(), RNP_LOAD_SAVE_SECRET_KEYS) != RNP_SUCCESS ||
      (!ids.empty() && std::none_of(ids.begin(), ids.end(),
                                    [&](const std::string& id) { return has_key(rnp, id); })) ||
      rnp_decrypt(rnp.get(), input.get(), output.get()) != RNP_SUCCESS)
    return fail(Fault::corrupt, "open a wrapped key: the OpenPGP key does not open it");
  return Secret(bytes_of(output));
}

Result<std::string> encrypt_openpgp(std::string_view public_half, std::string_view plain) {
  const Rnp rnp = opened();
  const Input ring = input_of(public_half);
  const Input input = input_of(plain);
  const Output output = memory();
  if (rnp == nullptr || ring == nullptr || input == nullptr || output == nullptr ||
      rnp_load_keys(rnp.get(), "GPG", ring.get(), RNP_LOAD_SAVE_PUBLIC_KEYS) != RNP_SUCCESS)
    return fail(Fault::invalid, "wrap a key: the recipient is no OpenPGP key");
  const Key key = first_key(rnp);
  rnp_op_encrypt_t op = nullptr;
  if (key == nullptr ||
      rnp_op_encrypt_create(&op, rnp.get(), input.get(), output.get()) != RNP_SUCCESS)
    return fail(Fault::invalid, "wrap a key: the recipient is no OpenPGP key");
  const Encrypting encrypting(op);
  if (rnp_op_encrypt_add_recipient(op, key.get()) != RNP_SUCCESS ||
      rnp_op_encrypt_execute(op) != RNP_SUCCESS)
    return fail(Fault::invalid, "wrap a key: the recipient is no OpenPGP key");
  return bytes_of(output);
}

}  // namespace vestige
