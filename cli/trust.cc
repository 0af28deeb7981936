#include "cli/trust.h"

#include <filesystem>

#include "cli/plan_file.h"
#include "vestige/audit/plan.h"
#include "vestige/base/file.h"

namespace vestige::cli {
namespace {

// A vkey has two plus signs and no file is named like that.
bool is_vkey(std::string_view text) { return merkle::parse_vkey(text).has_value(); }

Result<std::vector<merkle::NoteKey>> keys_in(const std::string& path) {
  const std::string bytes = TRY(file_bytes(path));
  std::vector<merkle::NoteKey> keys;
  for (std::string_view rest = bytes; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty() || line.starts_with('#')) continue;
    auto key = merkle::parse_vkey(line);
    if (!key.has_value()) return fail(Fault::invalid, "{}: {}", path, key.error().message);
    keys.push_back(std::move(*key));
  }
  if (keys.empty()) return fail(Fault::invalid, "{}: no public key stands in the file", path);
  return keys;
}

}  // namespace

Result<std::vector<merkle::NoteKey>> keys_of(const Arguments& arguments, std::string_view option) {
  std::vector<merkle::NoteKey> keys;
  for (const std::string& value : arguments.values(option)) {
    if (is_vkey(value)) {
      keys.push_back(TRY(merkle::parse_vkey(value)));
      continue;
    }
    auto found = keys_in(value);
    // Nobody names a file like that: it was meant as a key.
    if (!found.has_value() && found.error().fault == Fault::missing &&
        value.find('+') != std::string::npos)
      return tl::unexpected<Error>(merkle::parse_vkey(value).error());
    for (merkle::NoteKey& key : TRY(std::move(found))) keys.push_back(std::move(key));
  }
  return keys;
}

Result<Trust> trust_of(const Arguments& arguments) {
  Trust trust;
  trust.keys = TRY(keys_of(arguments, "--vkey"));
  if (const auto policy = arguments.value("--policy"))
    trust.quorum = TRY(merkle::parse_quorum(TRY(file_bytes(*policy))));
  if (trust.keys.empty() && !trust.quorum.has_value())
    return hinted(fail(Fault::invalid, "whom do you trust? no public key is given"),
                  "give the log's key by --vkey, as keygen printed it, or a --policy file");
  return trust;
}

Result<Trust> planned_trust() {
  const std::string file = plan_file();
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return Trust();
  auto evidence = TRY(read_plan(file)).evidence;
  if (!evidence.has_value()) return Trust();
  if (!evidence->policy.empty())
    evidence->trust.quorum =
        TRY(merkle::parse_quorum(TRY(file_bytes(beside_plan(file, evidence->policy)))));
  return std::move(evidence->trust);
}

Result<merkle::NoteSigner> signer_from(const std::string& path, merkle::KeyKind kind) {
  const Secret file(TRY(secret_bytes(path)));
  auto signer = merkle::NoteSigner::parse(file.bytes());
  if (!signer.has_value()) return fail(Fault::invalid, "{}: {}", path, signer.error().message);
  if (signer->key().kind != kind)
    return fail(Fault::invalid, "{}: this is the key of a {}", path,
                kind == merkle::KeyKind::log ? "witness, not of a log" : "log, not of a witness");
  return std::move(*signer);
}

Result<merkle::NoteKey> make_key_file(const std::string& path, const std::string& name,
                                      merkle::KeyKind kind) {
  const Secret seed(TRY(random_bytes(32)));
  const Secret file = TRY(merkle::key_file(name, kind, seed.bytes()));
  const merkle::NoteSigner signer = TRY(merkle::NoteSigner::parse(file.bytes()));
  auto made = make_private_file(path, file.bytes());
  if (!made.has_value() && made.error().fault == Fault::conflict)
    return hinted(
        fail(Fault::conflict, "make {}: the file is there, and a key is never overwritten", path),
        "name another file");
  TRY(std::move(made));
  return signer.key();
}

}  // namespace vestige::cli
