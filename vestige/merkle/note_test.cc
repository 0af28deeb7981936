#include "vestige/merkle/note.h"

#include <gtest/gtest.h>

#include "vestige/base/bytes.h"

namespace vestige::merkle {
namespace {

using namespace std::string_literals;

// The example of C2SP signed-note.
const std::string kVkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const std::string kExample =
    "This is an example message.\n"
    "\n"
    "— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
    "\n";

const std::string kSeed(32, '\7');

TEST(Note, TheExampleOfTheSpecificationVerifies) {
  const NoteKey key = parse_vkey(kVkey).value();
  EXPECT_EQ(key.name, "example.com/foo");
  EXPECT_EQ(key.kind, KeyKind::log);
  EXPECT_EQ(to_hex(key.id()), "530d903a");
  EXPECT_EQ(to_vkey(key), kVkey);
  const Note note = parse_note(kExample).value();
  EXPECT_EQ(note.text, "This is an example message.\n");
  EXPECT_EQ(to_text(note), kExample);
  const auto signatures = verified(note, std::vector{key}).value();
  ASSERT_EQ(signatures.size(), 1U);
  EXPECT_EQ(signatures[0].key, key);
  EXPECT_FALSE(signatures[0].time.has_value());
  EXPECT_TRUE(verified(note, {})->empty()) << "an unknown key is passed over";
}

TEST(Note, AnythingElseDoesNot) {
  const std::vector known{parse_vkey(kVkey).value()};
  const auto message = [&](Note note) { return verified(note, known).error().message; };
  Note note = parse_note(kExample).value();
  note.text[0] = 't';
  EXPECT_EQ(message(note),
            "read a signed note: the signature of example.com/foo is not of this text");
  note = parse_note(kExample).value();
  note.signatures[0].payload.pop_back();
  EXPECT_EQ(message(note),
            "read a signed note: the signature of example.com/foo has another length");
  note = parse_note(kExample).value();
  note.signatures[0].id[0] ^= 1;
  EXPECT_TRUE(verified(note, known)->empty()) << "another key of the same name";
  note = parse_note(kExample).value();
  note.signatures[0].name = "example.com/fop";
  EXPECT_TRUE(verified(note, known)->empty());
  note = parse_note(kExample).value();
  note.signatures.push_back(note.signatures[0]);
  EXPECT_EQ(verified(note, known)->size(), 1U) << "each key counts once";
  note.signatures[1].payload[0] ^= 1;
  EXPECT_FALSE(verified(note, known).has_value()) << "a false one beside a good one";
}

TEST(Note, WhatIsNoNoteIsRefused) {
  const std::string line = kExample.substr(kExample.find("— "));
  const struct {
    std::string note;
    std::string_view why;
  } cases[] = {
      {"", "no empty line parts text and signatures"},
      {"text\n" + line, "no empty line parts text and signatures"},
      {"text\n\n", "it has no signature"},
      {kExample + "\n", "it has no signature"},
      {kExample + "more\n", "a signature line begins with '— '"},
      {kExample.substr(0, kExample.size() - 1), "its last line has no line end"},
      {"text\r\n\r\n" + line, "it has a control character"},
      {"te\txt\n\n" + line, "it has a control character"},
      {"te\xffxt\n\n" + line, "it is not UTF-8"},
      {"text\n\n— \n", "a signature line names no key"},
      {"text\n\n— name\n", "a signature line names no key"},
      {"text\n\n—  AAAAAAAA\n", "a signature line names no key"},
      {"text\n\n— na+me AAAAAAAA\n", "a signature line names no key"},
      {"text\n\n— na\u00a0me AAAAAAAA\n", "a signature line names no key"},
      {"text\n\n— name AAAAAA==\n", "a signature is not base64"},
      {"text\n\n— name AAAAAAA\n", "a signature is not base64"},
      {"text\n\n— name AAAA AAAA\n", "a signature is not base64"},
      {"text\n\n— name AAAAAAB=\n", "a signature is not base64"},
      {"text\n\n- name AAAAAAAA\n", "a signature line begins with '— '"},
  };
  for (const auto& one : cases) {
    const auto note = parse_note(one.note);
    ASSERT_FALSE(note.has_value()) << one.note;
    EXPECT_EQ(note.error().message, "read a signed note: " + std::string(one.why)) << one.note;
    EXPECT_EQ(note.error().fault, Fault::corrupt);
  }
}

TEST(Note, TheTextMayHaveEmptyLines) {
  const NoteSigner signer = NoteSigner::make("log", KeyKind::log, kSeed).value();
  Note note{"one\n\ntwo\n\n\n", {}};
  note.signatures.push_back(signer.sign(note.text).value());
  const Note again = parse_note(to_text(note)).value();
  EXPECT_EQ(again.text, note.text);
  EXPECT_EQ(verified(again, std::vector{signer.key()})->size(), 1U);
}

TEST(Note, SixteenSignaturesAndMoreAreRead) {
  Note note{"text\n", {}};
  std::vector<NoteKey> known;
  for (int i = 0; i < 40; ++i) {
    const auto signer =
        NoteSigner::make("w" + std::to_string(i), KeyKind::cosignature, kSeed).value();
    note.signatures.push_back(
        signer.sign(note.text, 1700000000U + static_cast<unsigned>(i)).value());
    known.push_back(signer.key());
  }
  const auto signatures = verified(parse_note(to_text(note)).value(), known).value();
  ASSERT_EQ(signatures.size(), 40U);
  EXPECT_EQ(signatures[39].time, 1700000039U);
}

TEST(Cosignature, CoversItsTime) {
  const auto signer = NoteSigner::make("witness.example", KeyKind::cosignature, kSeed).value();
  Note note{"origin\n0\nroot\n", {signer.sign("origin\n0\nroot\n", 1679315147).value()}};
  ASSERT_EQ(note.signatures[0].payload.size(), 72U);
  const std::vector known{signer.key()};
  const auto signatures = verified(note, known).value();
  ASSERT_EQ(signatures.size(), 1U);
  EXPECT_EQ(signatures[0].time, 1679315147U);
  note.signatures[0].payload[7] ^= 1;
  EXPECT_FALSE(verified(note, known).has_value()) << "another time";
  // The same key as a log's is another key: what one signs the other did not.
  const auto log = NoteSigner::make("witness.example", KeyKind::log, kSeed).value();
  EXPECT_NE(log.key().id(), signer.key().id());
  EXPECT_TRUE(verified(note, std::vector{log.key()})->empty());
}

TEST(Vkey, WhatIsNoneIsRefused) {
  const std::string body = kVkey.substr(kVkey.rfind('+') + 1);
  const struct {
    std::string vkey;
    std::string_view why;
  } cases[] = {
      {"", "it is written name+id+key"},
      {"name", "it is written name+id+key"},
      {"name+530d903a", "it is written name+id+key"},
      {"+530d903a+" + body, "its name is empty or has a space or a control character"},
      {"a b+530d903a+" + body, "its name is empty or has a space or a control character"},
      {"a\u2003b+530d903a+" + body, "its name is empty or has a space or a control character"},
      {"example.com/foo+530d903a+", "its key is neither Ed25519 (01) nor a cosignature key (04)"},
      {"example.com/foo+530d903a+" + to_base64("\2" + kSeed),
       "its key is neither Ed25519 (01) nor a cosignature key (04)"},
      {"example.com/foo+530d903a+" + to_base64("\1" + kSeed + "x"),
       "its key has another length than 33 bytes"},
      {"example.com/foo+530d903a+" + body + "=", "its key is not base64"},
      {"example.com/foo+530d903b+" + body, "its id is not the id of its key"},
      {"example.com/foo+530D903A+" + body, "its id is not the id of its key"},
      {"example.com/bar+530d903a+" + body, "its id is not the id of its key"},
      {kVkey + "\n", "its key is not base64"},
  };
  for (const auto& one : cases) {
    const auto key = parse_vkey(one.vkey);
    ASSERT_FALSE(key.has_value()) << one.vkey;
    EXPECT_EQ(key.error().message, "read a public key (vkey): " + std::string(one.why)) << one.vkey;
  }
}

TEST(KeyFile, ComesBack) {
  for (const KeyKind kind : {KeyKind::log, KeyKind::cosignature}) {
    const Secret file = key_file("audit.example.com/bank", kind, kSeed).value();
    EXPECT_TRUE(file.bytes().starts_with("PRIVATE+KEY+audit.example.com/bank+"));
    EXPECT_TRUE(file.bytes().ends_with("\n"));
    const auto signer = NoteSigner::parse(file.bytes()).value();
    EXPECT_EQ(signer.key(), NoteSigner::make("audit.example.com/bank", kind, kSeed)->key());
    EXPECT_TRUE(NoteSigner::parse(file.bytes().substr(0, file.bytes().size() - 1)).has_value());
  }
}

TEST(KeyFile, WhatIsNoneIsRefused) {
  const std::string good(key_file("log", KeyKind::log, kSeed).value().bytes());
  const std::string id = good.substr(16, 8);
  const struct {
    std::string file;
    std::string_view why;
  } cases[] = {
      {"", "it does not begin with PRIVATE+KEY+"},
      {kVkey, "it does not begin with PRIVATE+KEY+"},
      {"PRIVATE+KEY+log", "it is written PRIVATE+KEY+name+id+seed"},
      {"PRIVATE+KEY++" + id + "+AAAA", "its name is empty or has a space or a control character"},
      {"PRIVATE+KEY+log+" + id + "+A", "its seed is not base64"},
      {good + "\n", "its seed is not base64"},
      {"PRIVATE+KEY+log+" + id + "+",
       "its seed is neither Ed25519 (01) nor that of a cosignature key (04)"},
      {"PRIVATE+KEY+log+" + id + "+" + to_base64("\1" + kSeed + "x"),
       "its seed is neither Ed25519 (01) nor that of a cosignature key (04)"},
      {"PRIVATE+KEY+log+" + id + "+" + to_base64("\2" + kSeed),
       "its seed is neither Ed25519 (01) nor that of a cosignature key (04)"},
      {"PRIVATE+KEY+log+00000000+" + to_base64("\1" + kSeed), "its id is not the id of its key"},
      {"PRIVATE+KEY+gol+" + id + "+" + to_base64("\1" + kSeed), "its id is not the id of its key"},
  };
  for (const auto& one : cases) {
    const auto signer = NoteSigner::parse(one.file);
    ASSERT_FALSE(signer.has_value()) << one.file;
    EXPECT_EQ(signer.error().message, "read a key file: " + std::string(one.why)) << one.file;
  }
  EXPECT_EQ(
      key_file("a b", KeyKind::log, kSeed).error().message,
      "name a key \"a b\": a name is not empty and has no space, no '+' and no control character");
  EXPECT_EQ(key_file("log", KeyKind::log, "short").error().message,
            "read a private key: its seed has 5 bytes, not 32");
}

}  // namespace
}  // namespace vestige::merkle
