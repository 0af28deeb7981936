#include "vestige/trail/kept_words.h"

#include <gtest/gtest.h>

namespace vestige {
namespace {

TEST(KeptWords, OfAKeyWhatNamesARowAndNoPerson) {
  EXPECT_EQ(kept_key("17"), "17");
  EXPECT_EQ(kept_key("-17"), "-17");
  EXPECT_EQ(kept_key("id=17"), "id=17");
  EXPECT_EQ(kept_key("123456789012345678"), "123456789012345678");
  EXPECT_EQ(kept_key("6F9619FF-8b86-d011-b42d-00c04fc964ff"),
            "6F9619FF-8b86-d011-b42d-00c04fc964ff");
  EXPECT_EQ(kept_key("eve@x.org"), "…");
  EXPECT_EQ(kept_key("mail=eve@x.org"), "…");
  EXPECT_EQ(kept_key("eve@x.org=17"), "…") << "that is no column";
  EXPECT_EQ(kept_key("ZXZl=="), "…");
  EXPECT_EQ(kept_key("=17"), "…");
  EXPECT_EQ(kept_key("4111111111111111=17"), "…");
  EXPECT_EQ(kept_key("4111111111111111"), "…") << "a card";
  EXPECT_EQ(kept_key("4111111111111112"), "4111111111111112");
  EXPECT_EQ(kept_key("123-45-6789"), "…");
  EXPECT_EQ(kept_key("6f9619ff-8b86-d011-b42d-00c04fc964fg"), "…");
  EXPECT_EQ(kept_key("17 eve"), "…");
  EXPECT_EQ(kept_key(""), "…");
}

TEST(KeptWords, OfNumbersAndMomentsNothingThatIsNone) {
  for (const char* kept : {"17", "-1", "0"}) EXPECT_EQ(kept_number(kept), kept);
  for (const char* not_kept : {"", "eve", "17 eve", "4111111111111111", "1e3", "id=17", "'17'"})
    EXPECT_EQ(kept_number(not_kept), "…") << not_kept;
  for (const char* kept : {"now", "17", "17~", "last", "last~3", "~3", "tx:12", "tx:12~", "2026Q3",
                           "2026-11", "2026-11-28", "2026-11-28T09:30:00Z"})
    EXPECT_EQ(kept_moment(kept), kept);
  for (const char* not_kept :
       {"", "eve", "tx:", "tx:eve", "last~eve", "lasteve", "mark:eve", "4111111111111111",
        "tx:4111111111111111", "@4111111111111111", "~4111111111111111", "2026-11-28 eve"})
    EXPECT_EQ(kept_moment(not_kept), "…") << not_kept;
}

TEST(KeptWords, OfAFilterItsShape) {
  EXPECT_EQ(kept_filter("table:people op:update,delete key:17 tx:4 column:price"),
            "table:people op:update,delete key:17 tx:4 column:price");
  EXPECT_EQ(kept_filter("since:2026-01-01 signed:no class:phi tag:SOX db_user:app"),
            "since:2026-01-01T00:00:00.000000Z signed:no class:phi tag:SOX db_user:app");
  EXPECT_EQ(kept_filter("\"4111111111111111\" key:eve@x.org,17"), "text:… key:…,17");
  EXPECT_EQ(kept_filter("old.mail:eve@x.org -new.price<90000"), "old.\"mail\":… -new.\"price\"<…");
  EXPECT_EQ(kept_filter("who:eve actor:eve reason:\"for eve\" context.ticket:T-1,T-2"),
            "who:… actor:… reason:… context.\"ticket\":…,…");
  EXPECT_EQ(kept_filter("value:eve"), "value:…");
  EXPECT_EQ(kept_filter("eve \"is no filter"), "…");
  EXPECT_EQ(kept_filter(""), "");
}

}  // namespace
}  // namespace vestige
