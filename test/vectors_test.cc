// Every case of test/vectors/*.json comes out as it says (docs/format.md). The independent verifier,
// test/independent, is held against the same cases.
#include <gtest/gtest.h>

#include <map>

#include "vestige/audit/check.h"
#include "vestige/audit/disclosure.h"
#include "vestige/base/bytes.h"
#include "vestige/base/file.h"
#include "vestige/base/json.h"
#include "vestige/encryption/token.h"
#include "vestige/merkle/proof.h"
#include "vestige/merkle/receipt.h"
#include "vestige/merkle/tile.h"
#include "vestige/privacy/signed_context.h"

namespace vestige {
namespace {

using merkle::KeyKind;
using merkle::NoteKey;

// One case: its members as JSON tokens.
struct Case {
  std::map<std::string, std::string> members;

  bool has(const std::string& name) const { return members.contains(name); }
  std::string text(const std::string& name) const {
    return json::unquote(members.at(name)).value();
  }
  std::uint64_t number(const std::string& name) const { return parse_decimal(text(name)).value(); }
  Hash hash(const std::string& name) const {
    return to_array<32>(from_lower_hex(text(name)).value());
  }
  std::vector<std::string> texts(const std::string& name) const {
    std::vector<std::string> all;
    json::Reader reader(members.at(name));
    (void)reader.open('[');
    while (reader.more('[').value() == 'y')
      all.push_back(json::unquote(reader.value()->text).value());
    return all;
  }
  merkle::Proof proof() const {
    merkle::Proof proof;
    for (const std::string& hex : texts("proof"))
      proof.push_back(to_array<32>(from_lower_hex(hex).value()));
    return proof;
  }
  // The keys; nothing when one of them is none.
  std::vector<NoteKey> keys() const {
    std::vector<NoteKey> keys;
    for (const std::string& vkey : texts("vkeys")) keys.push_back(merkle::parse_vkey(vkey).value());
    return keys;
  }
};

std::vector<Case> cases_in(const std::string& kind) {
  const std::string bytes = file_bytes(SOURCE_DIR "/test/vectors/" + kind + ".json").value();
  std::vector<Case> cases;
  json::Reader reader(bytes);
  EXPECT_TRUE(reader.open('[').has_value());
  while (reader.more('[').value() == 'y') {
    json::Reader object(reader.value()->text);
    EXPECT_TRUE(object.open('{').has_value());
    Case one;
    while (object.more('{').value() == 'y') {
      std::string name = object.key().value();
      one.members[name] = object.value()->text;
    }
    cases.push_back(std::move(one));
  }
  return cases;
}

// Each test answers: is it accepted, and as what it is?
bool base64(const Case& one) {
  const auto bytes = from_base64(one.text("text"));
  return bytes.has_value() && to_hex(*bytes) == one.text("hex");
}

bool inclusion(const Case& one) {
  return merkle::included(one.number("index"), one.number("size"), one.hash("leaf"), one.proof(),
                          one.hash("root"));
}

bool consistency(const Case& one) {
  return merkle::consistent(one.number("first"), one.hash("first_root"), one.number("second"),
                            one.hash("second_root"), one.proof());
}

bool tile_path(const Case& one) {
  const auto tile = merkle::parse_tile_path(one.text("path"));
  if (!tile.has_value()) return false;
  const int level = tile->level.has_value() ? static_cast<int>(*tile->level) : -1;
  return path(*tile) == one.text("path") && std::to_string(level) == one.members.at("level") &&
         tile->index == one.number("index") &&
         std::to_string(tile->width) == one.members.at("width");
}

bool entry(const Case& one) {
  const std::string line = one.text("line");
  const auto read = parse_entry(line);
  return read.has_value() && to_line(*read) == line &&
         to_hex(view(merkle::leaf_hash(line))) == one.text("leaf");
}

bool vkey(const Case& one) {
  const auto key = merkle::parse_vkey(one.text("vkey"));
  return key.has_value() && to_vkey(*key) == one.text("vkey") &&
         key->name == one.text("key_name") &&
         std::to_string(static_cast<int>(key->kind)) == one.members.at("kind");
}

bool note(const Case& one) {
  const auto read = merkle::parse_note(one.text("note"));
  if (!read.has_value()) return false;
  const auto signatures = merkle::verified(*read, one.keys());
  if (!signatures.has_value() || signatures->empty()) return false;
  std::vector<std::string> names;
  for (const merkle::Signed& signature : *signatures) names.push_back(signature.key.name);
  return merkle::to_text(*read) == one.text("note") && names == one.texts("signed_by");
}

bool checkpoint(const Case& one) {
  return open_trusted(one.text("note"), {one.keys(), {}}).has_value();
}

bool receipt(const Case& one) {
  Trust trust{one.keys(), {}};
  if (one.has("policy")) {
    auto quorum = merkle::parse_quorum(one.text("policy"));
    if (!quorum.has_value()) return false;
    trust.quorum = std::move(*quorum);
  }
  return check_receipt(one.text("receipt"), trust).has_value();
}

bool trail(const Case& one) {
  auto opened = open_trusted(one.text("checkpoint"), {one.keys(), {}});
  if (!opened.has_value()) return false;
  TrailCheck check(std::move(*opened));
  for (const std::string& line : one.texts("lines")) check.line(line);
  return check.finish().wrong == 0;
}

Context context_in(const Case& one) {
  Context context;
  json::Reader reader(one.members.at("context"));
  (void)reader.open('{');
  while (reader.more('{').value() == 'y') {
    const std::string name = reader.key().value();
    context.set(name, json::unquote(reader.value()->text).value());
  }
  return context;
}

// Where the case has the key, signing comes to the same field.
void signs_alike(const Case& one, Context context) {
  Context unsigned_context;
  for (const auto& [name, value] : context.fields())
    if (name != kSignatureField) unsigned_context.set(name, value);
  const std::string file = one.text("key");
  const std::string seed =
      from_base64(std::string_view(file).substr(file.rfind('+') + 1, 44)).value().substr(1);
  const std::string name = file.substr(12, file.find('+', 12) - 12);
  const auto made =
      sign_context(PrivateKey::from_seed(seed).value(), name, one.text("signed_for"),
                   unsigned_context, static_cast<std::int64_t>(one.number("issued")),
                   static_cast<std::int64_t>(one.number("lifetime")), one.text("nonce"));
  EXPECT_EQ(made.value(), *context.get(kSignatureField)) << one.text("name");
}

bool signed_context(const Case& one) {
  const ContextSigners signers = {one.text("origin"), {}, {{one.keys(), {}, {}}}};
  const Context context = context_in(one);
  if (one.has("key")) signs_alike(one, context);
  const std::string_view word =
      signed_word(signers, context, static_cast<std::int64_t>(one.number("at")) * 1'000'000);
  EXPECT_EQ(word, one.text("word")) << one.text("name");
  return is_well_signed(word);
}

bool token(const Case& one) {
  const auto bytes = from_base64(one.text("token"));
  const std::string key = from_lower_hex(one.text("key")).value();
  const std::string salt = from_lower_hex(one.text("salt")).value();
  if (!bytes.has_value() || key_of_token(*bytes) != data_key_id(key)) return false;
  const auto opened = open_token_salted(*bytes, key, one.text("place"));
  return opened.has_value() && opened->bytes() == salt + one.text("value") &&
         commits_to(*bytes, salt, one.text("value"));
}

bool disclosure(const Case& one) {
  const auto evidence = parse_evidence(one.text("evidence"));
  const auto read = parse_disclosure(one.text("disclosure"));
  if (!evidence.has_value() || !read.has_value()) return false;
  return !not_bound(parse_entry(evidence->entry).value(), *evidence).has_value() &&
         !not_disclosed(*read, *evidence).has_value();
}

struct Kind {
  const char* name;
  bool (*accepted)(const Case&);
  std::size_t least;  // so many cases at least: a file that was emptied is no proof
};

class Vectors : public testing::TestWithParam<Kind> {};

TEST_P(Vectors, ComeOutAsTheySay) {
  const auto cases = cases_in(GetParam().name);
  EXPECT_GE(cases.size(), GetParam().least);
  std::size_t good = 0;
  for (const Case& one : cases) {
    const bool expected = one.members.at("good") == "true";
    good += expected;
    EXPECT_EQ(GetParam().accepted(one), expected) << one.text("name");
  }
  EXPECT_GT(good, 0U);
  EXPECT_LT(good, cases.size());
}

INSTANTIATE_TEST_SUITE_P(
    , Vectors,
    testing::Values(Kind{"base64", base64, 20}, Kind{"inclusion", inclusion, 300},
                    Kind{"consistency", consistency, 200}, Kind{"tile_path", tile_path, 40},
                    Kind{"entry", entry, 150}, Kind{"vkey", vkey, 20}, Kind{"note", note, 100},
                    Kind{"checkpoint", checkpoint, 20}, Kind{"receipt", receipt, 120},
                    Kind{"trail", trail, 30}, Kind{"signed_context", signed_context, 50},
                    Kind{"token", token, 40}, Kind{"disclosure", disclosure, 25}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace vestige
