// The order of keys against the database's own.
#include "vestige/trail/sqlite/key_order.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "test/tracked_shop.h"

namespace vestige::sqlite {
namespace {

const std::vector<Value> kValues = {
    Null{},
    std::numeric_limits<std::int64_t>::min(),
    std::int64_t{-1},
    std::int64_t{0},
    std::int64_t{1},
    std::int64_t{9007199254740993},
    std::numeric_limits<std::int64_t>::max(),
    -HUGE_VAL,
    -0x1p63,
    -1.5,
    -0.0,
    0.0,
    1.0,
    1.5,
    9007199254740992.0,
    9007199254740994.0,
    0x1p63,
    HUGE_VAL,
    Text{""},
    Text{"A"},
    Text{"a"},
    Text{"a "},
    Text{"B"},
    Text{"ab"},
    Text{"\xC3\x84"},
    Text{"\xEF\xBF\xBD"},
    Text{"\xF0\x9F\x98\x80"},  // after U+FFFD in UTF-8, before it in UTF-16
    Blob{""},
    Blob{"A"},
    Blob{std::string("\xFF\0", 2)},
};

class KeyOrderTest : public testing::TestWithParam<const char*> {};

TEST_P(KeyOrderTest, IsThatOfTheDatabase) {
  auto db = must(Sqlite::open(":memory:", Sqlite::Mode::create));
  must(db->script(fmt::format("pragma encoding = '{}'; create table any (a, b)", GetParam())));
  for (const char* first : {"", "BINARY", "NOCASE", "RTRIM"}) {
    SCOPED_TRACE(first);
    const KeyOrder order = must(KeyOrder::of(*db, {first, "NOCASE"}));
    must(db->script("delete from any"));
    for (const Value& left : kValues)
      for (const Value& right : {Value(Text{"x"}), Value(Text{"X"}), Value(Null{})})
        must(db->run("insert into any values (?1, ?2)", {left, right}));
    auto rows = must(db->query("select * from any order by " + order.terms({"a", "b"})));
    std::vector<std::vector<Value>> sorted;
    while (must(rows->next()) == Step::row) sorted.push_back({rows->value(0), rows->value(1)});
    ASSERT_EQ(sorted.size(), kValues.size() * 3);
    for (std::size_t i = 0; i < sorted.size(); ++i)
      for (std::size_t j = i; j < sorted.size(); ++j) {
        const bool one = same_key(sorted[i][0], sorted[j][0]) && sorted[i][1] == sorted[j][1];
        const int forth = must(order.compare(sorted[i], sorted[j]));
        const int back = must(order.compare(sorted[j], sorted[i]));
        const std::string pair = to_display(sorted[i][0]) + to_display(sorted[i][1]) + " and " +
                                 to_display(sorted[j][0]) + to_display(sorted[j][1]);
        EXPECT_EQ(forth == 0, one) << pair;
        EXPECT_LE(forth, 0) << pair;
        EXPECT_GE(back, 0) << pair;
      }
  }
}

INSTANTIATE_TEST_SUITE_P(Encodings, KeyOrderTest, testing::Values("UTF-8", "UTF-16le", "UTF-16be"));

}  // namespace
}  // namespace vestige::sqlite
