#include "vestige/merkle/checkpoint.h"

#include <gtest/gtest.h>

#include "vestige/base/bytes.h"
#include "vestige/merkle/receipt.h"

namespace vestige::merkle {
namespace {

using namespace std::string_literals;

const std::string kRoot = "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=";
const std::string kEmptyRoot = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const std::string kSeed(32, '\7');

TEST(Checkpoint, IsThreeLinesAndMore) {
  const Checkpoint checkpoint{"example.com/log", 15, to_array<32>(from_base64(kRoot).value()), {}};
  EXPECT_EQ(to_text(checkpoint), "example.com/log\n15\n" + kRoot + "\n");
  EXPECT_EQ(parse_checkpoint(to_text(checkpoint)).value(), checkpoint);
  Checkpoint extended = checkpoint;
  extended.extensions = {"one", "two"};
  EXPECT_EQ(to_text(extended), to_text(checkpoint) + "one\ntwo\n");
  EXPECT_EQ(parse_checkpoint(to_text(extended)).value(), extended);
  EXPECT_EQ(parse_checkpoint("o\n0\n" + kEmptyRoot + "\n")->root, empty_root());
}

TEST(Checkpoint, WhatIsNoneIsRefused) {
  const struct {
    std::string text;
    std::string_view why;
  } cases[] = {
      {"", "it has fewer than three lines"},
      {"o\n15\n", "it has fewer than three lines"},
      {"o\n15\n" + kRoot, "it has fewer than three lines"},
      {"\n15\n" + kRoot + "\n", "its origin is empty"},
      {"o\n015\n" + kRoot + "\n", "its size is not a decimal"},
      {"o\n\n" + kRoot + "\n", "its size is not a decimal"},
      {"o\n-1\n" + kRoot + "\n", "its size is not a decimal"},
      {"o\n18446744073709551616\n" + kRoot + "\n", "its size is not a decimal"},
      {"o\n15\nAAAA\n", "its root is not the base64 of 32 bytes"},
      {"o\n15\n" + kRoot.substr(1) + "\n", "its root is not the base64 of 32 bytes"},
      {"o\n15\n" + kRoot + "\n\n", "a further line is empty or not ended"},
      {"o\n15\n" + kRoot + "\nmore", "a further line is empty or not ended"},
  };
  for (const auto& one : cases) {
    const auto checkpoint = parse_checkpoint(one.text);
    ASSERT_FALSE(checkpoint.has_value()) << one.text;
    EXPECT_EQ(checkpoint.error().message, "read a checkpoint: " + std::string(one.why)) << one.text;
  }
}

TEST(Checkpoint, IsOpenedWithTheKeysOfItsOrigin) {
  const auto log = NoteSigner::make("example.com/log", KeyKind::log, kSeed).value();
  const auto witness = NoteSigner::make("w", KeyKind::cosignature, kSeed).value();
  Note note = parse_note(sign_checkpoint(log, 15, leaf_hash("x")).value()).value();
  note.signatures.push_back(witness.sign(note.text, 7).value());
  const std::vector keys{witness.key(), log.key()};
  const auto opened = open_checkpoint(to_text(note), keys).value();
  EXPECT_EQ(opened.checkpoint.size, 15U);
  EXPECT_EQ(opened.checkpoint.root, leaf_hash("x"));
  EXPECT_EQ(opened.signatures.size(), 2U);
  ASSERT_NE(opened.log(), nullptr);
  EXPECT_EQ(opened.log()->key, log.key());
  EXPECT_EQ(open_checkpoint(to_text(note), std::vector{witness.key()})->log(), nullptr);

  // The log's key, put under another origin.
  Note other{to_text(Checkpoint{"example.com/other", 15, leaf_hash("x"), {}}), {}};
  other.signatures.push_back(log.sign(other.text).value());
  EXPECT_EQ(open_checkpoint(to_text(other), keys)->log(), nullptr);

  note.text = to_text(Checkpoint{"example.com/log", 16, leaf_hash("x"), {}});
  EXPECT_EQ(open_checkpoint(to_text(note), keys).error().fault, Fault::corrupt);
}

// Others may write behind it: their lines are worth what they prove.
TEST(Checkpoint, IsOpenedPastFalseLines) {
  const auto log = NoteSigner::make("example.com/log", KeyKind::log, kSeed).value();
  const auto witness = NoteSigner::make("w", KeyKind::cosignature, kSeed).value();
  const std::string plain = sign_checkpoint(log, 15, leaf_hash("x")).value();
  const std::string cosigned = witness.sign(parse_note(plain)->text, 7)->line();
  const std::string of_witness = witness.sign("another\n", 7)->line();
  const std::string of_log = log.sign("another\n")->line();
  const std::vector keys{witness.key(), log.key()};
  const auto names = [&](const std::string& note, std::span<const NoteKey> known) {
    const auto opened = open_appended(note, known);
    if (!opened.has_value()) return "no: " + opened.error().message;
    EXPECT_EQ(open_checkpoint(to_text(opened->note), known)->signatures.size(),
              opened->signatures.size());
    std::string out;
    for (const Signed& one : opened->signatures) out += one.key.name + " ";
    for (const std::string& one : opened->passed_over) out += "[" + one + "]";
    return out;
  };
  EXPECT_EQ(names(plain, keys), "example.com/log ");
  EXPECT_EQ(names(plain + of_witness, keys), "example.com/log [w]");
  EXPECT_EQ(names(plain + of_witness + cosigned + of_witness, keys), "example.com/log w [w]");
  EXPECT_EQ(names(plain + of_log + cosigned, keys), "example.com/log w [example.com/log]");
  for (const std::string junk :
       {"x\n", "\n", "— a AAAA\n", "— w AAAA", "— \xff AAAAAAAAAA==\n", "\x01\n"})
    EXPECT_TRUE(
        names(plain + of_log + junk, keys).starts_with("example.com/log [example.com/log]["))
        << junk;
  EXPECT_EQ(names(plain + of_witness + "x\n", {}), "[]") << "without keys, what can be read counts";

  // Nobody who is known vouches for the text.
  const std::string no = "no: read a signed note: the signature of ";
  Note other = *parse_note(plain);
  other.text.replace(other.text.find("15"), 2, "16");
  EXPECT_EQ(names(to_text(other), keys), no + "example.com/log is not of this text");
  EXPECT_EQ(names(to_text(other) + "x\n", keys),
            "no: read a signed note: a signature line begins with '— '");
  EXPECT_EQ(names(plain + of_witness, std::span(keys).first(1)), no + "w is not of this text");
  EXPECT_EQ(names(plain + of_witness + cosigned, std::span(keys).first(1)), "w [w]");
  EXPECT_EQ(names("", keys), "no: read a signed note: no empty line parts text and signatures");
  EXPECT_EQ(names("a\n\n", {}), "no: read a signed note: it has no signature");
  EXPECT_EQ(names("a\n\nx\n", {}), "no: read a signed note: a signature line begins with '— '");
}

TEST(Receipt, ComesBack) {
  Receipt receipt{
      "any\0bytes"s, 7, {leaf_hash("a"), leaf_hash("b")}, "log\n8\nroot\n\n— log AAAAAAAA\n"};
  for (int round = 0; round < 3; ++round) {
    const std::string text = to_text(receipt);
    const Receipt again = parse_receipt(text).value();
    EXPECT_EQ(again.extra, receipt.extra);
    EXPECT_EQ(again.index, receipt.index);
    EXPECT_EQ(again.proof, receipt.proof);
    EXPECT_EQ(again.checkpoint, receipt.checkpoint);
    EXPECT_EQ(to_text(again), text);
    if (round == 0) receipt.extra.reset();
    else receipt.proof.clear();
  }
}

TEST(Receipt, WhatIsNoneIsRefused) {
  const std::string head = "c2sp.org/tlog-proof@v1\n";
  std::string long_proof = head + "index 0\n";
  for (int i = 0; i < 65; ++i) long_proof += kRoot + "\n";
  const struct {
    std::string text;
    std::string_view why;
  } cases[] = {
      {"", "its first line is not c2sp.org/tlog-proof@v1"},
      {"c2sp.org/tlog-proof@v2\nindex 0\n\n", "its first line is not c2sp.org/tlog-proof@v1"},
      {"c2sp.org/tlog-proof@v1\r\nindex 0\n\n", "its first line is not c2sp.org/tlog-proof@v1"},
      {head, "it ends before its checkpoint"},
      {head + "index 0", "it ends before its checkpoint"},
      {head + "index 0\n", "it ends before its checkpoint"},
      {head + "index 0\n" + kRoot + "\n", "it ends before its checkpoint"},
      {head + "\n", "it has no index line"},
      {head + "index 00\n\n", "it has no index line"},
      {head + "index 1 \n\n", "it has no index line"},
      {head + "index -1\n\n", "it has no index line"},
      {head + "index 0\nindex 0\n\n", "a hash is not the base64 of 32 bytes"},
      {head + "extra A\nindex 0\n\n", "its extra line is not base64"},
      {head + "extra AA==\nextra AA==\nindex 0\n\n", "it has no index line"},
      {head + "index 0\nextra AA==\n\n", "a hash is not the base64 of 32 bytes"},
      {head + "index 0\n" + kRoot + " \n\n", "a hash is not the base64 of 32 bytes"},
      {head + "index 0\nAAAA\n\n", "a hash is not the base64 of 32 bytes"},
      {long_proof, "its proof has more than 64 hashes"},
  };
  for (const auto& one : cases) {
    const auto receipt = parse_receipt(one.text);
    ASSERT_FALSE(receipt.has_value()) << one.text;
    EXPECT_EQ(receipt.error().message, "read a receipt: " + std::string(one.why)) << one.text;
  }
}

}  // namespace
}  // namespace vestige::merkle
