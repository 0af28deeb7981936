// Which differences between values capture sees, and that every value comes back as it was.
#include <gtest/gtest.h>

#include <limits>

#include "test/capture_replay.h"
#include "vestige/audit/revert.h"

namespace vestige {
namespace {

class CaptureValues : public testing::Test {
 protected:
  // One row with this value in column v of the type, then an update to the other; what was recorded.
  std::string update(const std::string& type, const Value& from, const Value& to) {
    Shop shop;
    shop.run("create table goods (id integer primary key, v " + type + ")");
    shop.with_trail();
    shop.track("goods");
    const auto client = shop.connect();
    must(client->run("insert into goods values (1, ?1)", {from}));
    Witness witness(shop.db(), {"goods"});
    const std::int64_t before = shop.last_change();
    must(client->run("update goods set v = ?1", {to}));
    EXPECT_EQ(witness.look(), "") << type << " " << to_json(from) << " " << to_json(to);
    return shop.changes(before);
  }
};

TEST_F(CaptureValues, SeesStorageClassAndSignWhereNothingElseDiffers) {
  EXPECT_EQ(update("", std::int64_t{1}, 1.0), "UPDATE {\"id\":1} {\"v\":1} {\"v\":1.0}\n");
  EXPECT_EQ(update("", 1.0, std::int64_t{1}), "UPDATE {\"id\":1} {\"v\":1.0} {\"v\":1}\n");
  EXPECT_EQ(update("", 0.0, -0.0), "UPDATE {\"id\":1} {\"v\":0.0} {\"v\":-0.0}\n");
  EXPECT_EQ(update("blob", -0.0, 0.0), "UPDATE {\"id\":1} {\"v\":-0.0} {\"v\":0.0}\n");
  EXPECT_EQ(update("any", Text{"a"}, Blob{"a"}),
            "UPDATE {\"id\":1} {\"v\":\"a\"} {\"v\":{\"$blob\":\"61\"}}\n");
  EXPECT_EQ(update("", Null{}, Blob{""}),
            "UPDATE {\"id\":1} {\"v\":null} {\"v\":{\"$blob\":\"\"}}\n");
  EXPECT_EQ(update("", Text{""}, Null{}), "UPDATE {\"id\":1} {\"v\":\"\"} {\"v\":null}\n");
}

TEST_F(CaptureValues, SeesTheLeastIntegerAsAReal) {
  const auto least = std::numeric_limits<std::int64_t>::min();
  for (const char* type : {"", "integer", "numeric"}) {
    EXPECT_EQ(update(type, least, static_cast<double>(least)),
              "UPDATE {\"id\":1} {\"v\":-9223372036854775808} {\"v\":-9223372036854775808.0}\n")
        << type;
    EXPECT_EQ(update(type, static_cast<double>(least), least),
              "UPDATE {\"id\":1} {\"v\":-9223372036854775808.0} {\"v\":-9223372036854775808}\n")
        << type;
  }
}

TEST_F(CaptureValues, SeesPastCollations) {
  EXPECT_EQ(update("text collate nocase", Text{"a"}, Text{"A"}),
            "UPDATE {\"id\":1} {\"v\":\"a\"} {\"v\":\"A\"}\n");
  EXPECT_EQ(update("text collate rtrim", Text{"a"}, Text{"a "}),
            "UPDATE {\"id\":1} {\"v\":\"a\"} {\"v\":\"a \"}\n");
  EXPECT_EQ(update("text", Text{std::string("a\0b", 3)}, Text{std::string("a\0c", 3)}),
            "UPDATE {\"id\":1} {\"v\":\"a\\u0000b\"} {\"v\":\"a\\u0000c\"}\n");
  EXPECT_EQ(update("text", Text{"\xff"}, Text{"\xfe"}),
            "UPDATE {\"id\":1} {\"v\":{\"$text\":\"ff\"}} {\"v\":{\"$text\":\"fe\"}}\n");
}

TEST_F(CaptureValues, DoesNotRecordWhatChangesNoBit) {
  for (const char* type : {"", "integer", "real", "text", "blob", "numeric", "text collate nocase"})
    for (const Value& value :
         std::vector<Value>{Null{}, std::int64_t{0}, std::int64_t{7}, 0.0, -0.0, 1.5, Text{""},
                            Text{"a"}, Blob{""}, Blob{"a"}})
      EXPECT_EQ(update(type, value, value), "") << type << " " << to_json(value);
  EXPECT_EQ(update("integer", std::int64_t{1}, Text{"1"}), "");
  EXPECT_EQ(update("real", std::int64_t{1}, 1.0), "");
}

TEST_F(CaptureValues, KeepsMegabytes) {
  std::string big(10'000'000, 'x');
  big[5'000'000] = '\0';
  Shop shop;
  shop.run("create table goods (id integer primary key, a, b)");
  shop.with_trail();
  shop.track("goods");
  Witness witness(shop.db(), {"goods"});
  const auto client = shop.connect();
  must(client->run("insert into goods values (1, ?1, ?2)", {Text{big}, Blob{big}}));
  must(client->run("update goods set a = ?1", {Blob{big}}));
  must(client->run("delete from goods"));
  EXPECT_EQ(witness.look(), "");
}

TEST_F(CaptureValues, KeepsRealsOfVirtualColumnsReal) {
  Shop shop;
  shop.run(
      "create table goods (id integer primary key, a, g real as (a * 2) virtual, h real as (a) "
      "stored, i integer as (a * 1.0), t text as (a));"
      "insert into goods (a) values (1), (0), (2.5), ('x'), (null), (-0.0)");
  shop.with_trail();
  const Tracked tracked = shop.track("goods");
  auto transaction = must(Transaction::begin(shop.db()));
  EXPECT_EQ(must(baseline(shop.db(), tracked)), 6);
  must(transaction.commit());
  Witness witness(shop.db(), {"goods"});
  must(shop.connect()->script(
      "replace into goods (id, a) values (1, 3); update goods set a = 4 where id = 2; replace into "
      "goods (id, a) select id, a from goods; delete from goods"));
  EXPECT_EQ(witness.look(), "");
  Twin whole({});
  auto changes = must(read_changes(shop.db(), [] {
    Selection all;
    all.oldest_first = true;
    return all;
  }()));
  while (auto change = must(changes->next())) whole.forward(*change);
  EXPECT_EQ(whole.complaint(), "");
  EXPECT_TRUE(whole.rows().empty());
}

// Keys of several columns, with every class in them: what is read back finds the row.
TEST_F(CaptureValues, ReadsEveryValueBackFromAKeyOfSeveralColumns) {
  using namespace std::string_literals;
  const std::vector<Value> values = {Null{},
                                     std::int64_t{0},
                                     std::numeric_limits<std::int64_t>::min(),
                                     std::numeric_limits<std::int64_t>::max(),
                                     1.5,
                                     0.1,
                                     5e-324,
                                     1.7976931348623157e308,
                                     -2.2250738585072014e-308,
                                     9223372036854775808.0,
                                     1e23,
                                     0.1 + 0.2,
                                     std::numeric_limits<double>::infinity(),
                                     -std::numeric_limits<double>::infinity(),
                                     Text{""},
                                     Text{"a\0b"s},
                                     Text{"\"\\/\n\x01"},
                                     Text{"\xff\xfe"},
                                     Text{"h\xc3"},
                                     Text{"日😀"},
                                     Blob{""},
                                     Blob{"\x00\xff"s}};
  Shop shop;
  shop.run("create table goods (a, b, n, primary key (a, b))");
  shop.with_trail();
  const Tracked tracked = shop.track("goods");
  const auto client = shop.connect();
  for (const Value& value : values)
    must(client->run("insert into goods values (?1, ?2, 0)", {value, Text{"x"}}));
  Selection all;
  all.oldest_first = true;
  for (const Value& value : values) {
    const Row key = {{"a", value}, {"b", Text{"x"}}};
    Selection row;
    row.table = tracked.id;
    row.key = key;
    auto found = read_changes(shop.db(), row);
    ASSERT_TRUE(found.has_value()) << to_json(value);
    auto change = (*found)->next();
    ASSERT_TRUE(change.has_value()) << to_json(value) << " " << change.error().message;
    ASSERT_TRUE(change->has_value()) << to_json(value);
    EXPECT_TRUE(same_key((*change)->key[0].value, value))
        << to_json((*change)->key) << " for " << to_json(value);
  }
}

// As many columns as SQLite has without being built for more: more than an expression may be deep, or a
// function have arguments.
TEST(CaptureWide, RecordsTwoThousandColumns) {
  Shop shop;
  std::string columns = "id integer primary key";
  for (int i = 1; i < 2000; ++i)
    columns += fmt::format(", c{}{}", i, i % 500 == 7 ? " unique" : "");
  shop.run("create table goods (" + columns + ")");
  shop.with_trail();
  shop.track("goods");
  Witness witness(shop.db(), {"goods"});
  const auto client = shop.connect();
  for (const char* sql :
       {"insert into goods (id, c1, c999, c1999) values (1, 2, 3, 4), (2, 3, 4, 5)",
        "update goods set c7 = id, c1000 = 'x', c1999 = null",
        "replace into goods (id, c7, c1998) values (1, '2', 3)",
        "update goods set id = id + 10, c1950 = 9", "delete from goods"}) {
    must(client->run(sql));
    EXPECT_EQ(witness.look(), "") << sql;
  }
  EXPECT_GT(shop.last_change(), 7);
}

TEST(CaptureWide, NeedsRoomForARowid) {
  Shop shop;
  std::string columns = "id text primary key";
  for (int i = 1; i < 2000; ++i) columns += fmt::format(", c{}", i);
  shop.run("create table goods (" + columns + ")");
  shop.with_trail();
  {
    auto transaction = must(Transaction::begin(shop.db()));
    EXPECT_EQ(error_of(track(shop.db(), "goods", Policy{})).message,
              "track goods: 2000 columns and the rowid are more than SQLite reads at once");
  }
  shop.track("goods", excluding({"c5"}));
  shop.run("insert into goods (id, c1999) values ('a', 1); delete from goods");
  RevertRequest deleted;
  deleted.changes = {2};
  must(revert(shop.db(), deleted, {}));
  EXPECT_EQ(shop.rows("select id, c1999 from goods"), "a|1\n");
}

TEST(CaptureKeys, CanBecomeNullAndBack) {
  Shop shop;
  shop.run(
      "create table goods (code text primary key, n); create table pairs (a, b, primary key (a, "
      "b)); insert into goods values ('x', 1), (null, 2), (null, 3); insert into pairs values (1, "
      "null), (1, null), (null, 2)");
  shop.with_trail();
  shop.track("goods");
  shop.track("pairs");
  Witness witness(shop.db(), {"goods", "pairs"});
  shop.run("update goods set code = null where n = 1");
  EXPECT_EQ(witness.look(), "");
  shop.run(
      "update goods set code = 'y' where n = 2; update pairs set a = null; update pairs set b = "
      "7 where rowid = 1; delete from goods where code is null");
  EXPECT_EQ(witness.look(), "");
  EXPECT_EQ(shop.changes(),
            "UPDATE {\"code\":\"x\"}→{\"code\":null} {\"code\":\"x\"} {\"code\":null}\n"
            "UPDATE {\"code\":null}→{\"code\":\"y\"} {\"code\":null} {\"code\":\"y\"}\n"
            "UPDATE {\"a\":1,\"b\":null}→{\"a\":null,\"b\":null} {\"a\":1} {\"a\":null}\n"
            "UPDATE {\"a\":1,\"b\":null}→{\"a\":null,\"b\":null} {\"a\":1} {\"a\":null}\n"
            "UPDATE {\"a\":null,\"b\":null}→{\"a\":null,\"b\":7} {\"b\":null} {\"b\":7}\n"
            "DELETE {\"code\":null} {\"code\":null,\"n\":1}\n"
            "DELETE {\"code\":null} {\"code\":null,\"n\":3}\n");
}

// The stored key of several columns is the same text in a database of any encoding, wherever NUL, which ends a text for
// SQLite's functions, and control characters stand; in UTF-16, zeros that belong to two characters are no NUL.
TEST(CaptureKeys, AreTheSameInEveryEncoding) {
  const std::vector<std::string> units = {std::string(1, '\0'), "a", "\x01", "\n", "\"", "\xC4\x80",
                                          "\xF0\x9F\x98\x80"};
  std::vector<std::string> texts = {""};
  for (std::size_t from = 0, length = 0; length < 3; ++length) {
    const std::size_t to = texts.size();
    for (; from < to; ++from)
      for (const std::string& unit : units) texts.push_back(texts[from] + unit);
  }
  std::string first;
  for (const std::string encoding : {"UTF-8", "UTF-16le", "UTF-16be"}) {
    Shop shop;
    shop.run("pragma encoding = '" + encoding +
             "'; create table goods (a, b, n, primary key (a, b))");
    EXPECT_EQ(shop.rows("pragma encoding"), encoding + "\n");
    shop.with_trail();
    shop.track("goods");
    Witness witness(shop.db(), {"goods"});
    for (const std::string& text : texts)
      must(shop.db().run("insert into goods values (?1, 1.5, 0)", {Text{text}}));
    shop.run("update goods set n = 1; delete from goods where length(cast(a as blob)) % 3 = 0");
    EXPECT_EQ(witness.look(), "");
    const std::string keys =
        shop.rows("select cast(key as text) from vestige_change where op <> 'D' order by id");
    if (first.empty()) first = keys;
    EXPECT_EQ(keys, first) << encoding;
  }
  EXPECT_NE(first.find("[\"\\u0000\\u0001\\n\",1.5]"), std::string::npos);
}

}  // namespace
}  // namespace vestige
