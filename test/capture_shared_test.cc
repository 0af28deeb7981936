// What tables share of capture: a statement is a transaction whatever it fires, and an older trail comes to it with all that it
// recorded.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "test/capture_replay.h"
#include "vestige/audit/revert.h"

namespace vestige {
namespace {

// Each with recursive_triggers off and on.
class CaptureStatement : public testing::TestWithParam<bool> {
 protected:
  void make(const std::string& sql, const std::vector<std::string>& tables,
            const std::string& later = "") {
    shop_.run(sql);
    shop_.with_trail();
    for (const std::string& table : tables) shop_.track(table);
    shop_.run(later);
    shop_.run(fmt::format("pragma foreign_keys = on; pragma recursive_triggers = {}",
                          GetParam() ? "on" : "off"));
  }
  // What each transaction of the statements' changes has.
  std::string written(const std::string& sql) {
    const std::int64_t before = shop_.last_change();
    shop_.run(sql);
    return shop_.rows(fmt::format(
        "select group_concat(op, '') from (select * from vestige_change where id > {} order by id)"
        " group by tx order by tx",
        before));
  }
  Shop shop_;
};

INSTANTIATE_TEST_SUITE_P(Recursive, CaptureStatement, testing::Bool(), [](const auto& parameter) {
  return parameter.param ? "TriggersOn" : "TriggersOff";
});

TEST_P(CaptureStatement, IsATransactionWithItsCascades) {
  make(
      "create table p (id integer primary key);"
      "create table c (id integer primary key, p references p on delete cascade);"
      "create table d (id integer primary key, p references p on delete cascade);"
      "insert into p values (1), (2); insert into c values (1, 1), (2, 2); insert into d values"
      " (1, 1), (2, 2)",
      {"p", "c", "d"});
  EXPECT_EQ(written("delete from p"), "DDDDDD\n");
  EXPECT_EQ(written("insert into p values (1); insert into p values (2)"), "I\nI\n");
}

TEST_P(CaptureStatement, IsATransactionWithWhatIsNotTracked) {
  make(
      "create table p (id integer primary key, v); create table gone (x);"
      "create virtual table words using fts5 (v);",
      {"p"},
      "create trigger g after delete on p begin insert into gone values (OLD.v); end;"
      "create trigger w after insert on p begin insert into words values (NEW.v); end;"
      "create trigger u after update on p begin insert into words values (NEW.v); end");
  EXPECT_EQ(written("insert into p values (1, 'a'), (2, 'b'), (3, 'c')"), "III\n");
  EXPECT_EQ(written("update p set v = v || '!'; update p set v = v || '?'"), "UUU\nUUU\n");
  EXPECT_EQ(written("replace into p values (1, 'x'), (2, 'y')"), "DIDI\n");
  EXPECT_EQ(written("delete from p where id = 1; delete from p"), "D\nDD\n");
}

TEST_P(CaptureStatement, IsATransactionUnderEveryConflictPolicy) {
  make(
      "create table p (id integer primary key, v unique); create table gone (x);"
      "create trigger g after insert on p begin insert into gone values (NEW.v); end",
      {"p"});
  std::int64_t id = 0;
  for (const char* policy : {"abort", "fail", "rollback", "ignore", "replace"}) {
    id += 10;
    EXPECT_EQ(
        written(fmt::format("insert or {0} into p values ({1}, {1}), ({2}, {2}); insert or {0}"
                            " into p values ({3}, {3}), ({4}, {4})",
                            policy, id, id + 1, id + 2, id + 3)),
        "II\nII\n")
        << policy;
  }
}

TEST(CaptureShared, LetsColumnsGoThatAreNotRecorded) {
  Shop shop;
  shop.run(
      "create table p (id text primary key not null, title text, body text);"
      "create unique index u on p (title) where title <> ''");
  shop.with_trail();
  shop.track("p", excluding({"body"}));
  shop.run("alter table p drop column body; insert into p values (1, 'a')");
  EXPECT_EQ(shop.changes(), "INSERT {\"id\":\"1\"} {\"id\":\"1\",\"title\":\"a\"}\n");
}

// SQLite reads a table's triggers whenever somebody opens the database, and so does a person.
TEST(CaptureShared, TakesFiveKilobytesForATableOfSeventeenColumns) {
  for (const std::string type : {"", " text"}) {
    Shop shop;
    std::string columns = "id integer primary key";
    for (int i = 0; i < 16; ++i) columns += fmt::format(", c{}{}", i, type);
    shop.run("create table goods (" + columns + ")");
    shop.with_trail();
    shop.track("goods");
    const std::string text = "select sum(length(sql)) from sqlite_schema where type = 'trigger'";
    EXPECT_LE(must(scalar_integer(shop.db(), text + " and tbl_name = 'goods'")), 5'000);
    EXPECT_LE(must(scalar_integer(shop.db(), text + " and tbl_name <> 'goods'")), 43'000);
  }
}

// Every 512th change writes what finds a row's changes: a key that becomes an equal one is there once, whatever the
// statement does with conflicts.
TEST(CaptureShared, FindsAKeyThatBecameAnEqualOne) {
  for (const std::string how : {"abort", "fail", "rollback", "replace", "ignore"}) {
    Shop shop;
    shop.run("create table goods (k primary key, n); insert into goods values (1, 0)");
    shop.with_trail();
    shop.track("goods");
    for (int i = 0; i < 511; ++i) shop.run("update goods set n = n + 1");
    shop.run("update or " + how + " goods set k = 1.0");
    EXPECT_EQ(shop.last_change(), 512) << how;
    EXPECT_EQ(shop.rows("select count(*) from vestige_key"), "512\n") << how;
  }
}

int by_bytes(void* /*unused*/, int a, const void* left, int b, const void* right) {
  return std::string(static_cast<const char*>(left), static_cast<std::size_t>(a))
      .compare(std::string(static_cast<const char*>(right), static_cast<std::size_t>(b)));
}

int registering(sqlite3* db, const char** /*unused*/, const void* /*unused*/) {
  return sqlite3_create_collation(db, "unicase", SQLITE_UTF8, nullptr, by_bytes);
}

// Anki, Plex and others register collations and functions that nobody else has; test/real/registered_elsewhere.py
// enumerates them. A program that registers them for all of its connections can use the library as ever.
TEST(CaptureShared, DoesEverythingWhereTheApplicationsCollationIsRegistered) {
  Shop shop;
  const auto enter = reinterpret_cast<void (*)()>(registering);
  sqlite3_auto_extension(enter);
  const auto app = shop.connect();
  sqlite3_cancel_auto_extension(enter);
  must(app->script(
      "create table decks (id integer primary key, name text not null collate unicase);"
      "create unique index by_name on decks (name); insert into decks values (1, 'a')"));
  shop.with_trail();
  shop.track("decks");
  must(app->script("replace into decks values (2, 'a')"));
  EXPECT_EQ(shop.changes(),
            "DELETE {\"id\":1} {\"id\":1,\"name\":\"a\"}\nINSERT {\"id\":2} "
            "{\"id\":2,\"name\":\"a\"}\n");
  RevertRequest all;
  all.tx = 1;
  EXPECT_EQ(error_of(revert(shop.db(), all, {})).message,
            "run sql: no such collation sequence: unicase");
  EXPECT_EQ(must(revert(*app, all, {})).applied, 2);
  EXPECT_EQ(shop.rows("select * from decks"), "1|a\n");
}

// An older trail: its tables as they were defined, no shared triggers, a table's own ones of the same names.
TEST(CaptureShared, ComesToAnOlderTrail) {
  Shop shop;
  shop.run("create table p (id integer primary key, v); create table q (a, b, primary key (a, b))");
  shop.with_trail();
  shop.track("p");
  shop.track("q");
  shop.run("insert into p values (1, 0.1), (2, x'00'); insert into q values ('a' || char(10), 1)");
  const std::string recorded = shop.rows("select * from vestige_change");
  auto made = must(shop.db().query(
      "select type, name from sqlite_schema where type in ('view', 'trigger') order by type desc"));
  std::vector<std::string> drops;
  while (must(made->next()) == Step::row)
    drops.push_back(fmt::format("drop {} if exists {}", made->text(0), made->text(1)));
  made.reset();
  for (const std::string& drop : drops) shop.run(drop);
  shop.run(
      "create table vestige_reach (outer_table, inner_name);"
      "create trigger vestige_1_insert after insert on p begin select 1; end;"
      "create trigger vestige_2_insert after insert on q begin select 1; end;"
      "alter table q rename to r; delete from vestige_meta where name = 'capture';"
      "pragma writable_schema = on;"
      "update sqlite_schema set sql = replace(sql, ' autoincrement', '') where name = "
      "'vestige_change';"
      "update sqlite_schema set sql = replace(sql, 'extra text', 'extra text check (extra is null "
      "or"
      " json_type(extra) = ''object'')') where name = 'vestige_context';"
      "pragma writable_schema = reset; delete from sqlite_sequence");
  EXPECT_EQ(error_of(track(shop.db(), "p", Policy{})).message,
            "record changes: this trail is older and records them otherwise");
  shop.run("alter table vestige_context add column more");
  EXPECT_EQ(error_of(install(shop.db())).message,
            "bring the trail up to date: its table vestige_context is not as it was installed");
  shop.run("alter table vestige_context drop column more");
  EXPECT_TRUE(must(install(shop.db())));
  EXPECT_FALSE(must(install(shop.db())));
  EXPECT_EQ(error_of(shop.db().run("insert into vestige_session (extra) values ('[1]')")).message,
            "run sql: vestige: extra is no JSON object");
  EXPECT_EQ(shop.rows("select * from vestige_change"), recorded);
  EXPECT_EQ(shop.rows("pragma integrity_check"), "ok\n");
  EXPECT_EQ(shop.rows("select count(*) from sqlite_schema where sql like '%json_type%'"), "0\n");
  const auto client = shop.connect();
  must(client->script("update p set v = 1; insert into r values ('b', 2)"));
  EXPECT_EQ(shop.rows("select op, tx from vestige_change where id > 3"), "U|4\nU|4\nI|6\n");
}

// What a database is made of, but for the history.
std::string schema_of(Shop& shop) {
  return shop.rows(
      "select type, name, tbl_name, sql from sqlite_schema where name not like 'sqlite%' order by "
      "1, 2");
}

// A trail of the version before: other triggers of these names, and views that are no more.
TEST(CaptureShared, ComesAnewToATrailThatSharedMore) {
  Shop shop;
  shop.run("create table p (id integer primary key, v); create table q (a, b, primary key (a, b))");
  shop.with_trail();
  shop.track("p");
  shop.track("q");
  const std::string fresh = schema_of(shop);
  shop.run("insert into p values (1, 0.1), (2, x'00'); insert into q values ('a' || char(10), 1)");
  const std::string recorded = shop.rows("select * from vestige_change");
  const std::string counter = shop.rows("select * from sqlite_sequence");
  shop.run(
      "update vestige_meta set value = 2 where name = 'capture'; drop view vestige_compare;"
      "drop trigger vestige_1_update; create view vestige_follow as select 1 as v0;"
      "create trigger vestige_follow_kept instead of insert on vestige_follow begin select 1; end;"
      "create trigger vestige_1_update after update on p begin insert into vestige_follow values "
      "(1); end");
  EXPECT_EQ(error_of(track(shop.db(), "p", Policy{})).message,
            "record changes: this trail is older and records them otherwise");
  shop.run("insert into p values (3, 'recorded all the while')");
  EXPECT_NE(shop.rows("select * from vestige_change"), recorded);
  EXPECT_TRUE(must(install(shop.db())));
  EXPECT_FALSE(must(install(shop.db())));
  EXPECT_EQ(schema_of(shop), fresh);
  EXPECT_EQ(shop.rows("select * from vestige_change where id < 4"), recorded);
  EXPECT_NE(shop.rows("select * from sqlite_sequence"), counter);
  EXPECT_EQ(shop.rows("select count(*) from sqlite_sequence"), "1\n");
  const auto client = shop.connect();
  must(client->script("update p set v = 1; delete from q"));
  EXPECT_EQ(shop.rows("select op, tx from vestige_change where id > 3"),
            "I|4\nU|5\nU|5\nU|5\nD|8\n");
}

}  // namespace
}  // namespace vestige
