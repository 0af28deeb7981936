#include "vestige/audit/identity.h"

#include <map>
#include <optional>

#include "vestige/base/bytes.h"
#include "vestige/base/file.h"
#include "vestige/encryption/age_file.h"
#include "vestige/encryption/key_file.h"
#include "vestige/encryption/openpgp.h"
#include "vestige/encryption/token.h"
#include "vestige/trail/kept_table.h"
#include "vestige/trail/opener.h"

namespace vestige {
namespace {

class Opened final : public Opener {
 public:
  Opened(std::unique_ptr<Database> db, Identity identity)
      : Opener(std::move(db)), identity_(std::move(identity)) {}

  std::optional<std::string> opened(const Value& token, std::int64_t table,
                                    std::int64_t column) override {
    const auto text = encrypted_token(token);
    const auto bytes = text.has_value() ? from_base64(*text) : Result<std::string>(std::string());
    const auto id = bytes.has_value() ? key_of_token(*bytes) : std::nullopt;
    if (!id.has_value()) return std::nullopt;
    const Secret* key = data_key(*id);
    if (key == nullptr) return std::nullopt;
    const auto plain = open_token(*bytes, key->bytes(), token_place(table, column));
    return plain.has_value() ? std::optional(std::string(plain->bytes())) : std::nullopt;
  }

  const Secret* data_key(const std::string& id) override {
    auto found = keys_.find(id);
    if (found == keys_.end()) found = keys_.emplace(id, unwrapped(id)).first;
    return found->second.has_value() ? &*found->second : nullptr;
  }

 private:
  // Whichever of the wraps the identity opens; none where it is for others, or was destroyed.
  std::optional<Secret> unwrapped(const std::string& id) {
    const auto table = known_kept_table(inner(), "encrypted_key");
    if (!table.has_value() || table->empty()) return std::nullopt;
    auto rows = inner().query("select wrapped from " + *table + " where id = ?1", {Blob{id}});
    if (!rows.has_value()) return std::nullopt;
    for (;;) {
      const auto step = (*rows)->next();
      if (!step.has_value() || *step == Step::end) return std::nullopt;
      const Value stored = (*rows)->value(0);
      const auto* wrapped = std::get_if<Blob>(&stored);
      if (wrapped == nullptr) continue;
      const bool age = wrapped->bytes.starts_with("age-encryption.org/");
      if (!age && identity_.openpgp.bytes().empty()) continue;
      auto key = age ? age_decrypt(identity_.age.bytes(), wrapped->bytes)
                     : open_openpgp(identity_.openpgp.bytes(), wrapped->bytes);
      if (key.has_value() && data_key_id(key->bytes()) == id) return std::move(*key);
    }
  }

  Identity identity_;
  std::map<std::string, std::optional<Secret>> keys_;  // data keys by id
};

}  // namespace

Result<std::unique_ptr<Database>> with_identity(std::unique_ptr<Database> db,
                                                const std::string& path) {
  Secret file(TRY(secret_bytes(path)));
  Identity identity = TRY(parse_identity(file.bytes()));
  return std::unique_ptr<Database>(new Opened(std::move(db), std::move(identity)));
}

}  // namespace vestige
