#include "vestige/encryption/key_file.h"

#include <fmt/format.h>

#include <optional>

#include "vestige/base/bytes.h"
#include "vestige/base/cipher.h"
#include "vestige/encryption/age_file.h"
#include "vestige/encryption/openpgp.h"

namespace vestige {
namespace {

constexpr std::string_view kClass = "# class: ";
constexpr std::string_view kOpenPgp = "# openpgp: ";
constexpr std::string_view kHalf = "openpgp:";

auto bad(std::size_t line, std::string_view why) {
  return fail(Fault::invalid, "read a key file: line {}: {}", line, why);
}

}  // namespace

Result<NewKey> make_key(std::string_view of, std::string_view created) {
  const Secret age(TRY(random_bytes(32)));
  const OpenPgpKey openpgp = TRY(make_openpgp_key(fmt::format("vestige class {}", of)));
  NewKey out{fmt::format("{} {}{}", age_recipient(TRY(x25519_public(age.bytes()))), kHalf,
                         to_base64(openpgp.public_half)),
             Secret("")};
  Secret secret(to_base64(openpgp.secret_half.bytes()));
  out.file = Secret(fmt::format("{}{}\n# created: {}\n# recipient: {}\n{}{}\n{}\n", kClass, of,
                                created, out.recipient, kOpenPgp, secret.bytes(),
                                age_identity(age.bytes()).bytes()));
  return out;
}

Result<Identity> parse_identity(std::string_view file) {
  Identity out{"", Secret(""), Secret("")};
  std::size_t number = 0;
  while (!file.empty()) {
    const std::size_t end = file.find('\n');
    std::string_view line = file.substr(0, end);
    file.remove_prefix(end == std::string_view::npos ? file.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number;
    if (line.starts_with(kClass)) out.of = line.substr(kClass.size());
    if (line.starts_with(kOpenPgp)) {
      auto bytes = from_base64(line.substr(kOpenPgp.size()));
      if (!bytes.has_value()) return bad(number, "what it says of OpenPGP is no base64");
      out.openpgp = Secret(std::move(*bytes));
    }
    if (line.empty() || line.starts_with('#')) continue;
    auto age = parse_age_identity(line);
    if (!age.has_value()) return bad(number, "it is no private key of age");
    if (!out.age.bytes().empty()) return bad(number, "there is a second private key");
    out.age = std::move(*age);
  }
  if (out.age.bytes().empty())
    return fail(Fault::invalid, "read a key file: there is no private key in it");
  return out;
}

Result<std::string> openpgp_half(std::string_view recipient) {
  const std::size_t place = recipient.find(kHalf);
  if (place == std::string_view::npos) return std::string();
  return from_base64(recipient.substr(place + kHalf.size()));
}

}  // namespace vestige
