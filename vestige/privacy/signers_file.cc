#include "vestige/privacy/signers_file.h"

#include <algorithm>

#include "vestige/base/time.h"

namespace vestige {
namespace {

const std::vector<std::string> kContextKeys = {"origin", "signers", "since"};
const std::vector<std::string> kSignerKeys = {"actors", "key", "not_after"};

// One string, or several.
Result<std::vector<std::string>> one_or_more(const TomlMember& member) {
  if (member.value.kind != Toml::Kind::text) return member.as_texts();
  return std::vector<std::string>{TRY(member.as_text())};
}

// A day or a moment, as TOML has them or as a string; nothing that hangs on when it is read.
Result<std::int64_t> moment(const TomlMember& member) {
  const std::string text =
      member.value.kind == Toml::Kind::time ? member.value.text : TRY(member.as_text());
  const auto read = parse_time(text, Now(0));
  if (!read.has_value() || text.size() < 10 || text[4] != '-')
    return hinted(misread(member.value.place, fmt::format("'{}' is no day and no moment", text)),
                  "2027-06-01, or 2027-06-01T12:00:00Z");
  return *read;
}

Result<ContextSigner> read_signer(const TomlMember& member) {
  const Toml& table = *TRY(member.as_table());
  TRY(table.check_names(kSignerKeys));
  ContextSigner out;
  for (const TomlMember& one : table.members) {
    if (one.name == "not_after") out.not_after = TRY(moment(one));
    if (one.name == "actors") out.actors = TRY(one_or_more(one));
    if (one.name != "key") continue;
    for (const std::string& written : TRY(one_or_more(one))) {
      auto key = merkle::parse_vkey(written);
      if (!key.has_value()) return misread(one.value.place, key.error().message);
      if (key->kind != merkle::KeyKind::log)
        return misread(one.value.place, "the key of a witness signs no contexts");
      if (key->name != member.name)
        return hinted(misread(one.value.place, fmt::format("the key of {} is not that of {}",
                                                           key->name, member.name)),
                      "a signer has the name of its keys");
      out.keys.push_back(std::move(*key));
    }
  }
  if (out.keys.empty())
    return hinted(misread(member.place, fmt::format("the signer {} has no key", member.name)),
                  "key = \"…\", as vestige keygen printed it");
  return out;
}

}  // namespace

Result<std::optional<ContextSigners>> read_context_signers(const Toml& file) {
  const TomlMember* found = file.find("context");
  if (found == nullptr) return std::optional<ContextSigners>();
  const Toml& table = *TRY(found->as_table());
  TRY(table.check_names(kContextKeys));
  ContextSigners out;
  for (const TomlMember& member : table.members) {
    if (member.name == "since") {
      out.since = TRY(moment(member));
    } else if (member.name == "origin") {
      out.origin = TRY(member.as_text());
      if (!merkle::is_key_name(out.origin))
        return misread(member.value.place, fmt::format("'{}' is no origin", out.origin));
    } else {
      for (const TomlMember& one : TRY(member.as_table())->members)
        out.signers.push_back(TRY(read_signer(one)));
    }
  }
  if (out.signers.empty())
    return hinted(misread(table.place, "[context] names no signer"),
                  "[context.signers]: shop-web = { key = \"…\" }");
  return std::optional(std::move(out));
}

}  // namespace vestige
