#include "vestige/trail/recipient.h"

#include <algorithm>
#include <cctype>

#include "vestige/base/bytes.h"
#include "vestige/base/time.h"
#include "vestige/encryption/age_file.h"
#include "vestige/encryption/openpgp.h"
#include "vestige/trail/kept_table.h"
#include "vestige/trail/track.h"
#include "vestige/trail/tracking.h"

namespace vestige {

Result<std::string> age_half(std::string_view public_key) {
  return parse_age_recipient(public_key.substr(0, public_key.find(' ')));
}

Result<void> check_recipient(std::string_view public_key) {
  // Stored as it was given, for good: nothing may stand there that was not read.
  if (holds_private_key(public_key)) TRY(parse_age_recipient(public_key));
  TRY(age_half(public_key));
  const std::size_t space = public_key.find(' ');
  if (space == std::string_view::npos) return {};
  constexpr std::string_view kOpenPgp = "openpgp:";
  const std::string_view rest = public_key.substr(space + 1);
  const auto half = from_base64(rest.starts_with(kOpenPgp) ? rest.substr(kOpenPgp.size()) : "?");
  if (!half.has_value())
    return hinted(fail(Fault::invalid, "read a recipient: behind age1… stands what is no key"),
                  "it is age1… alone, or age1… openpgp:…, as vestige keys generate printed it");
  if (holds_private_key(*half)) TRY(parse_age_recipient(*half));
  return check_openpgp_public(*half);
}

Result<void> check_class(std::string_view of) {
  constexpr std::size_t kLongest = 63;  // as vestige.check_class has it
  const bool plain = !of.empty() && of.size() <= kLongest &&
                     std::isalnum(static_cast<unsigned char>(of[0])) != 0 &&
                     std::all_of(of.begin(), of.end(), [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
                     });
  if (plain) return {};
  return hinted(fail(Fault::invalid, "'{}' is no class of keys", of),
                "letters, digits, dots, - and _, 63 at most, a letter or digit first");
}

Result<std::vector<Recipient>> all_recipients(Database& db, std::string_view of) {
  if (TRY(known_kept_table(db, "recipient")).empty()) return std::vector<Recipient>();
  return tracking_of(db)->recipients(of);
}

std::vector<Recipient> standing(const std::vector<Recipient>& all, std::int64_t at) {
  std::vector<Recipient> out;
  std::optional<std::int64_t> first;
  for (const Recipient& one : all) {
    if (one.until.has_value() && *one.until <= at) continue;
    out.push_back(one);
    first = std::min(first.value_or(one.since), one.since);
  }
  const std::int64_t begun = std::max(at, first.value_or(at));
  std::erase_if(out, [&](const Recipient& one) { return one.since > begun; });
  return out;
}

Result<std::vector<Recipient>> recipients(Database& db, std::string_view of) {
  return standing(TRY(all_recipients(db, of)), clock_now());
}

Result<void> require_recipients(Database& db, const Policy& policy, const std::string& table) {
  for (const auto& [column, of] : policy.encrypt)
    if (TRY(recipients(db, of)).empty())
      return hinted(fail(Fault::missing, "track {}: class {} has no key to encrypt {} for", table,
                         of, column),
                    "vestige keys generate --class " + of + " --out " + of +
                        ".key, and then keys add, or [keys." + of + "] in vestige.toml");
  return {};
}

Result<void> add_recipient(Database& db, const std::string& of, const std::string& public_key,
                           std::optional<std::int64_t> from) {
  TRY(check_class(of));
  TRY(check_recipient(public_key));
  const std::int64_t now = clock_now();
  const auto all = TRY(all_recipients(db, of));
  for (const Recipient& one : from.has_value() ? all : standing(all, now)) {
    if (one.public_key != public_key || one.until.value_or(now + 1) <= now) continue;
    if (!from.has_value()) return {};
    return hinted(fail(Fault::conflict, "add a recipient of class {}: it has that key already", of),
                  "each month has a key of its own: vestige keys generate");
  }
  if (from.has_value()) from = std::max(*from, now);
  return tracking_of(db)->add_recipient(of, public_key, from);
}

Result<bool> set_recipient(Database& db, const std::string& of, const std::string& public_key) {
  const auto standing = TRY(recipients(db, of));
  if (standing.size() == 1 && standing[0].public_key == public_key) return false;
  TRY(add_recipient(db, of, public_key));
  for (const Recipient& one : standing)
    if (one.public_key != public_key) TRY(tracking_of(db)->end_recipient(one.id));
  return true;
}

}  // namespace vestige
