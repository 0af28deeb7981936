#include "vestige/trail/subject.h"

#include "vestige/base/bytes.h"
#include "vestige/base/crypto.h"
#include "vestige/record/value.h"
#include "vestige/trail/spelling.h"

namespace vestige {
namespace {

constexpr std::size_t kDigestBytes = 16;

Result<std::string> subject_salt(Database& db) {
  const Value kept = TRY(scalar(db, "select max(value) from " + spelling_of(db).table("meta") +
                                        " where name = 'subject_salt'"));
  return std::holds_alternative<Null>(kept) ? std::string() : from_lower_hex(to_display(kept));
}

}  // namespace

Result<void> keep_subject_salt(Database& db) {
  if (!TRY(subject_salt(db)).empty()) return {};
  TRY(db.run("insert into " + spelling_of(db).table("meta") +
                 " (name, value) values"
                 " ('subject_salt', ?1)",
             {Text{to_hex(TRY(random_bytes(kDigestBytes)))}}));
  return {};
}

Result<std::string> subject_digest(Database& db, std::int64_t table, std::string_view subject) {
  const std::string salt = TRY(subject_salt(db));
  if (salt.empty())
    return hinted(fail(Fault::missing, "nothing was ever encrypted for a subject here"),
                  "vestige track TABLE --subject COLUMN says whose a row is");
  const Hash hash = sha256({"vestige-subject", salt, fmt::format("{}:", table), subject});
  return std::string(view(hash).substr(0, kDigestBytes));
}

}  // namespace vestige
