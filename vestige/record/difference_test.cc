#include "vestige/record/difference.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace vestige {
namespace {

// same [-before-] {+after+}
std::string shown(const std::vector<TextPiece>& pieces) {
  std::string out;
  for (const TextPiece& piece : pieces) {
    if (piece.kind == TextPiece::Kind::same) out += piece.text;
    if (piece.kind == TextPiece::Kind::before) out += "[-" + piece.text + "-]";
    if (piece.kind == TextPiece::Kind::after) out += "{+" + piece.text + "+}";
  }
  return out;
}

// path: before -> after
std::string edits(std::string_view before, std::string_view after) {
  const auto all = json_difference(before, after);
  if (!all.has_value()) return "no document";
  std::string out;
  for (const JsonEdit& edit : *all)
    out += (out.empty() ? "" : "; ") + edit.path + ": " + edit.before.value_or("nothing") + " -> " +
           edit.after.value_or("nothing");
  return out;
}

TEST(TextDifference, WordsThatWentAndCame) {
  EXPECT_EQ(shown(word_difference("", "")), "");
  EXPECT_EQ(shown(word_difference("a b", "a b")), "a b");
  EXPECT_EQ(shown(word_difference("", "new")), "{+new+}");
  EXPECT_EQ(shown(word_difference("the quick brown fox", "the quick red fox")),
            "the quick [-brown-]{+red+} fox");
  EXPECT_EQ(shown(word_difference("one two three", "one three")), "one [-two -]three");
  EXPECT_EQ(shown(word_difference("a big old house", "a small new house")),
            "a [-big old-]{+small new+} house");
  EXPECT_EQ(shown(word_difference("price: 10.", "price: 12.")), "price: [-10-]{+12+}.");
  EXPECT_EQ(shown(word_difference("Größe\nalt", "Größe\nneu")), "Größe\n[-alt-]{+neu+}");
}

TEST(TextDifference, WordsTooManyToCompareAreOnePiece) {
  std::string before;
  std::string after;
  for (int i = 0; i < 2000; ++i) {
    before += "a" + std::to_string(i) + " ";
    after += "b" + std::to_string(i) + " ";
  }
  const auto pieces = word_difference("same " + before + "end", "same " + after + "end");
  ASSERT_EQ(pieces.size(), 4U);
  EXPECT_EQ(pieces[0].text, "same ");
  EXPECT_EQ(pieces[3].text, " end");
}

RC_GTEST_PROP(TextDifference, PiecesAreTheTexts, ()) {
  const auto text = rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab .\n")));
  const std::string before = *text;
  const std::string after = *text;
  std::string was;
  std::string is;
  for (const TextPiece& piece : word_difference(before, after)) {
    RC_ASSERT(!piece.text.empty());
    if (piece.kind != TextPiece::Kind::after) was += piece.text;
    if (piece.kind != TextPiece::Kind::before) is += piece.text;
  }
  RC_ASSERT(was == before);
  RC_ASSERT(is == after);
}

TEST(TextDifference, PlacesOfADocument) {
  EXPECT_EQ(edits(R"({"a":1})", R"({"a":1})"), "");
  EXPECT_EQ(edits(R"({"a":1,"b":{"c":[1,2]}})", R"({"b":{"c":[1,3]},"a":1.0})"),
            "a: 1 -> 1.0; b.c[1]: 2 -> 3");
  EXPECT_EQ(edits(R"({"a":1})", R"({"b":null})"), "a: 1 -> nothing; b: nothing -> null");
  EXPECT_EQ(edits(R"([1,2,3])", R"([1,3])"), "[1]: 2 -> nothing");
  EXPECT_EQ(edits(R"([1,3])", R"([1,2,3])"), "[1]: nothing -> 2");
  EXPECT_EQ(edits(R"({"a b":{"x":1}})", R"({"a b":{"x":2}})"), R"("a b".x: 1 -> 2)");
  EXPECT_EQ(edits(R"({"a":[1]})", R"({"a":{"0":1}})"), R"(a: [1] -> {"0":1})");
  EXPECT_EQ(edits(R"({"a":1,"a":2})", R"({"a":2})"), "");
  EXPECT_EQ(edits(" {\"a\" : 1} ", R"({"a":1})"), "");
}

TEST(TextDifference, OnlyDocumentsHavePlaces) {
  for (const char* text : {"", "1", "null", "\"a\"", "{", "{}x", "[1,]", "{\"a\"}", "text"}) {
    EXPECT_EQ(edits(text, "{}"), "no document") << text;
    EXPECT_EQ(edits("[]", text), "no document") << text;
  }
  EXPECT_EQ(edits("{}", "[]"), "no document");
}

TEST(TextDifference, WhatIsNestedVeryDeepIsComparedWhole) {
  const std::string open(5000, '[');
  const std::string close(5000, ']');
  const auto all = json_difference(open + "1" + close, open + "2" + close);
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->size(), 1U);
}

}  // namespace
}  // namespace vestige
