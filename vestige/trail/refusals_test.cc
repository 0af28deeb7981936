// What the trail refuses, and what it says of a trail whose bytes are not what they should be.
#include <gtest/gtest.h>

#include <ostream>

#include "test/tracked_shop.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/sealable.h"

namespace vestige {
namespace {

std::string refusal(Shop& shop, const std::string& table, const Policy& policy = {}) {
  auto transaction = must(Transaction::begin(shop.db()));
  return error_of(track(shop.db(), table, policy)).message;
}

TEST(Track, RefusesWhatHasNoChangesOfItsOwn) {
  Shop shop;
  shop.run("create view v as select 1; create virtual table f using fts5 (x)");
  shop.with_trail();
  EXPECT_EQ(refusal(shop, "v"),
            "track v: it is a view, only ordinary tables have changes to record");
  EXPECT_EQ(refusal(shop, "f"),
            "track f: it is a virtual table, only ordinary tables have changes to record");
  EXPECT_EQ(refusal(shop, "vestige_change"), "track vestige_change: an internal table");
}

TEST(Track, RefusesATableWhoseRowidCannotBeNamed) {
  Shop shop;
  shop.run("create table t (rowid text, _rowid_ text, oid text)");
  shop.with_trail();
  EXPECT_EQ(refusal(shop, "t"),
            "track t: its columns rowid, _rowid_ and oid hide the row's identity");
}

TEST(Track, RefusesPoliciesThatCannotBe) {
  Shop shop;
  std::string wide = "create table w (";
  for (int i = 0; i < 17; ++i) wide += fmt::format("c{}, ", i);
  wide += "primary key (";
  for (int i = 0; i < 17; ++i) wide += fmt::format("{}c{}", i == 0 ? "" : ", ", i);
  shop.run("create table t (id integer primary key, n); " + wide + "))");
  shop.with_trail();
  Policy both = including({"n"});
  both.exclude = {"n"};
  EXPECT_EQ(refusal(shop, "t", both), "track t: include and exclude at once");
  EXPECT_EQ(refusal(shop, "t", excluding({"id"})), "track t: id is part of the key");
  EXPECT_EQ(refusal(shop, "t", requiring({"act or"})),
            "track t: require 'act or' is not a field name");
  EXPECT_EQ(refusal(shop, "w"), "track w: a key of more than 16 columns");
}

TEST(Trail, KnowsOnlyItsOwnVersion) {
  Shop shop;
  shop.with_trail();
  shop.run("update vestige_meta set value = 99 where name = 'schema_version'");
  EXPECT_EQ(error_of(install(shop.db())).message,
            "install the trail: version 99 is newer than this vestige knows (1)");
  EXPECT_EQ(error_of(require_trail(shop.db())).message,
            "read the trail: it has version 99, this vestige knows 1");
}

TEST(Trail, IsMissedWhenItsOwnTableIsGone) {
  Shop shop;
  shop.with_trail().run("drop table vestige_meta");
  const std::string said =
      "read the trail: of its tables vestige_meta is missing from " + shop.db().where();
  EXPECT_EQ(error_of(require_trail(shop.db())).message, said);
  EXPECT_EQ(error_of(install(shop.db())).message, said);
}

TEST(Trail, IsAppendOnly) {
  Shop shop;
  shop.run("create table t (id integer primary key, n)");
  shop.with_trail().track("t");
  shop.run(
      "insert into t values (1, 1);"
      "insert into vestige_session (actor) values ('ann'); delete from vestige_session;"
      "insert into vestige_more (change, part) values (1, 1)");
  const auto said = [&](const std::string& sql) { return error_of(shop.db().run(sql)).message; };
  EXPECT_EQ(said("update vestige_change set op = 'D'"),
            "run sql: vestige: vestige_change is append-only: update refused");
  EXPECT_EQ(said("delete from vestige_change"),
            "run sql: vestige: vestige_change is append-only: delete refused");
  EXPECT_EQ(said("update vestige_more set v0 = 1"),
            "run sql: vestige: vestige_more is append-only: update refused");
  EXPECT_EQ(said("delete from vestige_more"),
            "run sql: vestige: vestige_more is append-only: delete refused");
  EXPECT_EQ(said("update vestige_context set actor = 'bob'"),
            "run sql: vestige: vestige_context is append-only: update refused");
  EXPECT_EQ(said("delete from vestige_context"),
            "run sql: vestige: vestige_context is append-only: delete refused");
  EXPECT_EQ(said("update vestige_shape set name = 'x'"),
            "run sql: vestige: vestige_shape is append-only: update refused");
  EXPECT_EQ(said("delete from vestige_shape"),
            "run sql: vestige: vestige_shape is append-only: delete refused");
}

TEST(ParseKey, RefusesMoreThanTheKeyHas) {
  Shop shop;
  shop.run("create table t (a, b, primary key (a, b))");
  shop.with_trail();
  const Tracked table = shop.track("t");
  EXPECT_EQ(error_of(parse_key(shop.db(), table, {"1", "2", "3"})).message,
            "find a row of t: '3' is more than its key has");
  EXPECT_EQ(error_of(parse_key(shop.db(), table, {"b=1", "b=2"})).message,
            "find a row of t: 'b=2' is more than its key has");
  EXPECT_EQ(error_of(parse_key(shop.db(), table, {"a=1", "c=2"})).message,
            "find a row of t: 'c=2' names no key column");
  EXPECT_EQ(error_of(parse_key(shop.db(), table, {"b=1"})).message,
            "find a row of t: no value for the key column a");
}

// Somebody wrote into the trail's tables: each thing that does not decode has its own words.
struct Damage {
  const char* sql;
  const char* message;
};

void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.message; }

class DamagedTrail : public testing::TestWithParam<Damage> {};

TEST_P(DamagedTrail, IsReportedAsCorrupt) {
  Shop shop;
  std::string wide = "create table w (id integer primary key";
  for (int i = 0; i < 40; ++i) wide += fmt::format(", c{}", i);
  shop.run("create table t (a, b, primary key (a, b)); " + wide + ")");
  shop.with_trail();
  shop.track("t");
  shop.track("w");
  for (const char* table : {"change", "more", "shape", "context"})
    for (const char* verb : {"update", "delete"})
      shop.run(fmt::format("drop trigger vestige_{}_no_{}", table, verb));
  shop.run("drop trigger vestige_change_no_rewrite");
  shop.run("insert into t values (1, 2); insert into w (id) values (1)");
  shop.run(GetParam().sql);
  const auto read_all = [&]() -> Result<void> {
    auto changes = TRY(read_changes(shop.db(), {}));
    while (TRY(changes->next()).has_value()) {
    }
    return {};
  };
  const Error error = error_of(read_all());
  EXPECT_EQ(error.fault, Fault::corrupt);
  EXPECT_EQ(error.message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Each, DamagedTrail,
    testing::Values(Damage{"update vestige_change set op = 'Y' where id = 1",
                           "read a change: unknown operation 'Y'"},
                    Damage{"update vestige_change set shape = 77 where id = 1",
                           "read a change: no shape 77"},
                    Damage{"update vestige_change set context = 77 where id = 1",
                           "read a change: no context 77"},
                    Damage{"delete from vestige_more", "read change 2: values are missing"},
                    Damage{"update vestige_shape set columns = '[{\"id\":1}]' where id = 1",
                           "read a change: no shape 1"}));

TEST(DamagedShape, IsRefusedByWhoNeedsIt) {
  Shop shop;
  shop.run("create table t (a integer primary key)");
  shop.with_trail();
  shop.track("t");
  shop.run("drop trigger vestige_shape_no_update");
  shop.run("update vestige_shape set columns = '[{\"id\":1}]' where id = 1");
  EXPECT_EQ(error_of(shapes(shop.db(), 1)).message,
            "read a shape: a column without id, name or key");
}

// No row ends a listing: what its values say, or its text; and the sealer says why it could not be read.
TEST(DamagedKey, IsShownAndSealedAsUnread) {
  struct Case {
    std::string set;
    std::string why;
  };
  for (const Case& one : {Case{"key = 5", "read a change: a key of several columns is not text"},
                          Case{"key = '[1,2,3]'", "read a change: a key with too many parts"},
                          Case{"key = '[1]'", "read a change: a key with too few parts"},
                          Case{"key = '[\"' || char(1) || '\",2]'",
                               "read json: control character in string at byte 2"}}) {
    Shop shop;
    shop.run("create table t (a, b, c, primary key (a, b))");
    shop.with_trail();
    shop.track("t");
    shop.run(
        "insert into t values (1, 2, 3); update t set c = 4; drop trigger vestige_change_no_update;"
        "drop trigger vestige_change_no_rewrite; update vestige_change set " +
        one.set);
    const std::string text =
        to_json(must(scalar(shop.db(), "select cast(key as text) from vestige_change")));
    EXPECT_EQ(shop.changes(), "INSERT {\"a\":1,\"b\":2} {\"a\":1,\"b\":2,\"c\":3}\nUPDATE {\"a\":" +
                                  text + ",\"b\":" + text + "} {\"c\":3} {\"c\":4}\n");
    const auto sealables = must(read_sealables(shop.db(), {}));
    for (int i = 0; i < 2; ++i) EXPECT_EQ(must(sealables->next())->broken, one.why);
  }
}

}  // namespace
}  // namespace vestige
