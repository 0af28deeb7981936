#include "vestige/base/letter.h"

#include <gtest/gtest.h>

namespace vestige {
namespace {

// The text with what nobody sees shown.
std::string shown(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Letter letter = letter_at(text, at);
    if (is_unseen(text, at)) append_shown(out, letter.code);
    else out += text.substr(at, letter.bytes);
    at += letter.bytes;
  }
  return out;
}

TEST(Letter, WhatNobodySeesMakesNoNameLookLikeAnother) {
  EXPECT_EQ(shown("ann"), "ann");
  EXPECT_EQ(shown("a\u200Bnn"), "a\\u200bnn");
  EXPECT_EQ(shown("a\u00ADnn\uFEFF"), "a\\u00adnn\\ufeff");
  EXPECT_EQ(shown("\u202Enna\u202C"), "\\u202enna\\u202c");
  EXPECT_EQ(shown("ann\u2066\u2069\u200E\u200F\u061C"), "ann\\u2066\\u2069\\u200e\\u200f\\u061c");
  EXPECT_EQ(shown("ann\u3164\uFFA0\u115F\u034F\u2060\u2800"),
            "ann\\u3164\\uffa0\\u115f\\u034f\\u2060\\u2800");
  EXPECT_EQ(shown("ann\U000E0061\U000E007F"), "ann\\u{e0061}\\u{e007f}");
  EXPECT_EQ(shown("ann\U000E01F0\U000E0FFF"), "ann\\u{e01f0}\\u{e0fff}");
  EXPECT_EQ(shown("\U0001FFFF\uFFFF"), "\\u{1ffff}\\uffff");
  EXPECT_EQ(shown("a\xff\xc0\x80"), "a\xff\xc0\x80") << "is no letter";
}

TEST(Letter, WhatJoinsIsSeenAmongLettersThatItIsFor) {
  EXPECT_EQ(shown("an\u200Dn \u200Cann ann\u200C"), "an\\u200dn \\u200cann ann\\u200c");
  EXPECT_EQ(shown("ann\u0301\u200D\u0301"), "ann\u0301\\u200d\u0301") << "an accent is none";
  EXPECT_EQ(shown("\u0430\u200D\u0430"), "\u0430\\u200d\u0430") << "Cyrillic";
  EXPECT_EQ(shown("\u2764\uFE0F\u200D\U0001F525"), "\u2764\uFE0F\u200D\U0001F525");
  EXPECT_EQ(shown("ann\uFE0F\U000E0100"), "ann\\ufe0f\\u{e0100}");
  EXPECT_EQ(shown("\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645"),
            "\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645")
      << "Persian";
  EXPECT_EQ(shown("\u0915\u094D\u200D\u0937"), "\u0915\u094D\u200D\u0937") << "Devanagari";
  EXPECT_EQ(shown("\u2764\uFE0F \U0001F469\u200D\U0001F467"),
            "\u2764\uFE0F \U0001F469\u200D\U0001F467");
  EXPECT_EQ(shown("\u05E9\u05DC\u05D5\u05DD 日本語"), "\u05E9\u05DC\u05D5\u05DD 日本語");
}

TEST(Letter, DigitsAndSignsAreSeenAsEmojiWhereTheyAreSome) {
  EXPECT_EQ(shown("1\uFE0F\u20E3 #\uFE0F\u20E3"), "1\uFE0F\u20E3 #\uFE0F\u20E3") << "keycaps";
  EXPECT_EQ(shown("\u00A9\uFE0F \u00AE\uFE0E"), "\u00A9\uFE0F \u00AE\uFE0E");
  EXPECT_EQ(shown("1\uFE0F2 a\uFE0F\u20E3"), "1\\ufe0f2 a\\ufe0f\u20E3");
  EXPECT_EQ(shown("1\uFE0F"), "1\\ufe0f");
  EXPECT_EQ(shown("\u00A9\uFE0F\uFE0F\u200D"), "\u00A9\uFE0F\\ufe0f\\u200d");
}

// A megabyte of them is not walked for each of them.
TEST(Letter, OfManyThatFormOneLetterTheFirstAreSeen) {
  std::string many = "\u2764";
  std::string first = many;
  for (int i = 0; i < 40; ++i) many += "\uFE0F";
  for (int i = 0; i < 32; ++i) first += "\uFE0F";
  for (int i = 32; i < 40; ++i) first += "\\ufe0f";
  EXPECT_EQ(shown(many), first);
  std::string far = "\u0645";
  for (int i = 0; i < 60'000; ++i) far += "\u200D";
  EXPECT_TRUE(is_unseen(far, far.size() - 3));
  EXPECT_EQ(shown(far).size(), 2 + 32 * 3 + (60'000U - 32) * 6);
}

}  // namespace
}  // namespace vestige
