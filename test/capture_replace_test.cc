// Capture of statements that remove rows silently: REPLACE in its forms, UPSERT, OR IGNORE.
#include <gtest/gtest.h>

#include "test/capture_replay.h"

namespace vestige {
namespace {

// Runs a script on a second connection, with recursive_triggers off and on; the changes must be the same.
class CaptureReplace : public testing::TestWithParam<bool> {
 protected:
  void make(const std::string& sql, const std::string& table = "goods") {
    shop_.run(sql);
    shop_.with_trail();
    shop_.track(table);
    client_ = shop_.connect();
    client(GetParam() ? "pragma recursive_triggers = on" : "pragma recursive_triggers = off");
    witness_ = std::make_unique<Witness>(shop_.db(), std::vector<std::string>{table});
    start_ = shop_.last_change();
  }
  void client(const std::string& sql) { must(client_->script(sql)); }
  // What the statement was recorded as; one transaction, and a replay.
  std::string recorded(const std::string& sql) {
    start_ = shop_.last_change();
    client(sql);
    EXPECT_EQ(witness_->look(), "") << sql;
    if (shop_.last_change() > start_) {
      EXPECT_EQ(shop_.rows(fmt::format(
                    "select count(distinct tx) from vestige_change where id > {}", start_)),
                "1\n")
          << sql;
    }
    return shop_.changes(start_);
  }

  Shop shop_;
  std::unique_ptr<Sqlite> client_;
  std::unique_ptr<Witness> witness_;
  std::int64_t start_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Recursive, CaptureReplace, testing::Bool(), [](const auto& parameter) {
  return parameter.param ? "TriggersOn" : "TriggersOff";
});

// SQLite shows a BEFORE UPDATE trigger a generated column that is made of the columns which the trigger names, and no others.
TEST_P(CaptureReplace, FindsTheRowInTheWayOfAGeneratedColumn) {
  make(
      "create table goods (a int, k as (-a), seq text); create unique index u on goods (k, seq); "
      "insert into goods (a, seq) values (0, '1'), (2, '1'), (2, '2')");
  EXPECT_EQ(
      recorded("update or replace goods set seq = '1' where rowid = 3"),
      "DELETE {} {\"a\":2,\"k\":-2,\"seq\":\"1\"}\nUPDATE {} {\"seq\":\"2\"} {\"seq\":\"1\"}\n");
  shop_.run(
      "create trigger b after insert on goods begin update or ignore goods set seq = "
      "length(NEW.seq) where rowid = NEW.rowid; end");
  EXPECT_NE(recorded("replace into goods (a, seq) values (0, 'a')")
                .find("DELETE {} {\"a\":0,\"k\":0,\"seq\":\"1\"}"),
            std::string::npos);
}

TEST_P(CaptureReplace, RecordsTheReplacedRowOnceAndFirst) {
  make(
      "create table goods (id integer primary key, name); insert into goods values (1, 'ink'), (2, "
      "'pen')");
  EXPECT_EQ(recorded("insert or replace into goods values (1, 'nib')"),
            "DELETE {\"id\":1} {\"id\":1,\"name\":\"ink\"}\nINSERT {\"id\":1} "
            "{\"id\":1,\"name\":\"nib\"}\n");
  EXPECT_EQ(recorded("replace into goods values (2, 'cap'), (2, 'top')"),
            "DELETE {\"id\":2} {\"id\":2,\"name\":\"pen\"}\nINSERT {\"id\":2} "
            "{\"id\":2,\"name\":\"cap\"}\n"
            "DELETE {\"id\":2} {\"id\":2,\"name\":\"cap\"}\nINSERT {\"id\":2} "
            "{\"id\":2,\"name\":\"top\"}\n");
}

TEST_P(CaptureReplace, RecordsEveryRowOfEveryUniqueIndex) {
  make(
      "create table goods (id integer primary key, a unique, b unique, c, unique (a, c));"
      "insert into goods values (1, 'a1', 'b1', 0), (2, 'a2', 'b2', 0), (3, 'a3', 'b3', 0), (4, "
      "'a4', 'b4', 0)");
  recorded("insert or replace into goods values (1, 'a2', 'b3', 9)");
  EXPECT_EQ(shop_.rows(fmt::format(
                "select op, key from vestige_change where id > {} order by op, key", start_)),
            "D|1\nD|2\nD|3\nI|1\n");
  EXPECT_EQ(shop_.rows(fmt::format(
                "select op from vestige_change where id > {} order by id desc limit 1", start_)),
            "I\n");
}

TEST_P(CaptureReplace, RecordsARowThatHadAnotherRowid) {
  make(
      "create table goods (name unique, price); insert into goods (rowid, name, price) values (7, "
      "'ink', 1), (9, 'pen', 2)");
  recorded("replace into goods (name, price) values ('ink', 3)");
  EXPECT_EQ(shop_.rows(fmt::format(
                "select op, row_id, v0 from vestige_change where id > {} order by id", start_)),
            "D|7|ink\nI|10|ink\n");
}

TEST_P(CaptureReplace, RecordsAnUpdateThatReplaces) {
  make(
      "create table goods (id integer primary key, name unique); insert into goods values (1, "
      "'ink'), (2, 'pen'), (3, 'nib')");
  EXPECT_EQ(recorded("update or replace goods set name = 'pen' where id = 1"),
            "DELETE {\"id\":2} {\"id\":2,\"name\":\"pen\"}\nUPDATE {\"id\":1} {\"name\":\"ink\"} "
            "{\"name\":\"pen\"}\n");
  EXPECT_EQ(recorded("update or replace goods set id = 3 where id = 1"),
            "DELETE {\"id\":3} {\"id\":3,\"name\":\"nib\"}\nUPDATE {\"id\":1}→{\"id\":3} "
            "{\"id\":1} {\"id\":3}\n");
}

TEST_P(CaptureReplace, SeesTheDefaultThatTakesTheNullsPlace) {
  make(
      "create table goods (id integer primary key, name text not null default 'ink' unique, code "
      "not null default \"c'1\" unique, n integer not null default (1 + 1) unique);"
      "insert into goods values (1, 'ink', 'x', 7), (2, 'pen', 'c''1', 8), (3, 'nib', 'z', 2)");
  recorded("insert or replace into goods values (9, null, null, null)");
  EXPECT_EQ(shop_.rows(fmt::format(
                "select op, key from vestige_change where id > {} order by op, key", start_)),
            "D|1\nD|2\nD|3\nI|9\n");
}

TEST_P(CaptureReplace, SeesTheKeyThatIsChosen) {
  make(
      "create table goods (id integer primary key, name); insert into goods values (3, 'ink'), (4, "
      "'pen');"
      "create unique index by_name on goods (name) where id > 1;"
      "create unique index by_both on goods (id + length(name))");
  recorded("replace into goods (name) values ('ink')");
  EXPECT_EQ(shop_.rows(fmt::format("select op, key from vestige_change where id > {}", start_)),
            "D|3\nI|5\n");
  recorded("insert or replace into goods values (null, 'n')");
  EXPECT_EQ(shop_.rows(fmt::format("select op, key from vestige_change where id > {}", start_)),
            "D|4\nI|6\n");
}

TEST_P(CaptureReplace, SeesCollationsConditionsAndExpressions) {
  make(
      "create table goods (id integer primary key, name text collate nocase, code text, price);"
      "create unique index by_name on goods (name) where price > 10;"
      "create unique index by_code on goods (lower(code), abs(price)) where code <> 'a , ) where "
      "''';"
      "insert into goods values (1, 'ink', 'A', 11), (2, 'INK', 'b', 5), (3, 'pen', 'c', -20)");
  EXPECT_EQ(recorded("replace into goods values (10, 'Ink', 'q', 12)"),
            "DELETE {\"id\":1} {\"id\":1,\"name\":\"ink\",\"code\":\"A\",\"price\":11}\n"
            "INSERT {\"id\":10} {\"id\":10,\"name\":\"Ink\",\"code\":\"q\",\"price\":12}\n");
  EXPECT_EQ(recorded("replace into goods values (11, 'cap', 'C', 20)"),
            "DELETE {\"id\":3} {\"id\":3,\"name\":\"pen\",\"code\":\"c\",\"price\":-20}\n"
            "INSERT {\"id\":11} {\"id\":11,\"name\":\"cap\",\"code\":\"C\",\"price\":20}\n");
}

TEST_P(CaptureReplace, SeesIndexesOverGeneratedColumns) {
  make(
      "create table goods (id integer primary key, a, g as (a || '!') unique, r real as (a * 2.0) "
      "virtual);"
      "insert into goods (id, a) values (1, 3), (2, 4)");
  EXPECT_EQ(recorded("replace into goods (id, a) values (5, 3)"),
            "DELETE {\"id\":1} {\"id\":1,\"a\":3,\"g\":\"3!\",\"r\":6.0}\n"
            "INSERT {\"id\":5} {\"id\":5,\"a\":3,\"g\":\"3!\",\"r\":6.0}\n");
}

TEST_P(CaptureReplace, SeesGeneratedColumnsOfTheDefaultThatTakesTheNullsPlace) {
  make(
      "create table goods (a not null default 1, old text, g as (typeof(a)) virtual, h as (a || "
      "'x') "
      "stored unique, n); create unique index by_g on goods (g) where n is not null;"
      "create unique index by_old on goods (lower(old));"
      "insert into goods (rowid, a, old, n) values (1, 7, 'ink', 5), (2, 1, 'pen', null), (3, 'b', "
      "'nib', 8), (4, x'00', 'cap', 9)");
  recorded("insert or replace into goods (a, old, n) values (null, 'top', 3)");
  EXPECT_EQ(shop_.rows(fmt::format(
                "select op, row_id from vestige_change where id > {} order by op, row_id", start_)),
            "D|1\nD|2\nI|5\n");
}

TEST_P(CaptureReplace, KeepsAllColumnsOfAWideRow) {
  std::string columns;
  std::string values;
  for (int i = 0; i < 200; ++i) {
    columns += fmt::format(", c{}", i);
    values += fmt::format(", {}", i);
  }
  make("create table goods (id integer primary key, name unique" + columns +
       ");"
       "insert into goods values (1, 'ink'" +
       values + "), (2, 'pen'" + values + ")");
  recorded("replace into goods (id, name, c0, c31, c32, c199) values (1, 'pen', 1, 2, 3, 4)");
  EXPECT_EQ(shop_.rows(fmt::format(
                "select op, key from vestige_change where id > {} order by op, key", start_)),
            "D|1\nD|2\nI|1\n");
  recorded("update goods set c15 = 1, c16 = 2, c199 = x'00'");
}

TEST_P(CaptureReplace, WorksWithoutRowid) {
  make(
      "create table goods (a text collate nocase, b, c unique, primary key (a, b)) without rowid;"
      "insert into goods values ('a', 1, 'c1'), ('b', 2, 'c2'), ('c', x'00', 'c3')");
  recorded("replace into goods values ('A', 1.0, 'c2')");
  EXPECT_EQ(shop_.rows(fmt::format(
                "select op, key from vestige_change where id > {} order by op, key", start_)),
            "D|[\"a\",1]\nD|[\"b\",2]\nI|[\"A\",1]\n");
  recorded("update or replace goods set a = 'C', b = x'00' where b = 1");
}

TEST_P(CaptureReplace, LeavesNothingBehindThatIsRecordedLater) {
  make(
      "create table goods (id integer primary key, name unique, n); insert into goods values (1, "
      "'ink', 0), (2, 'pen', 0)");
  EXPECT_EQ(recorded("insert into goods values (1, 'x', 1) on conflict do nothing"), "");
  EXPECT_EQ(recorded("insert or ignore into goods values (3, 'pen', 1)"), "");
  EXPECT_EQ(
      recorded("insert into goods values (3, 'pen', 1) on conflict (name) do update set n = n"),
      "");
  EXPECT_EQ(recorded("insert into goods values (3, 'pen', 1) on conflict (name) do update set n = "
                     "5 where false"),
            "");
  EXPECT_EQ(recorded("update or ignore goods set name = 'pen' where id = 1"), "");
  EXPECT_EQ(
      recorded(
          "insert into goods values (3, 'pen', 1) on conflict (name) do update set n = excluded.n"),
      "UPDATE {\"id\":2} {\"n\":0} {\"n\":1}\n");
  EXPECT_EQ(recorded("insert into goods values (4, 'cap', 1)"),
            "INSERT {\"id\":4} {\"id\":4,\"name\":\"cap\",\"n\":1}\n");
  EXPECT_EQ(recorded("insert or ignore into goods values (4, 'x', 1), (5, 'y', 1)"),
            "INSERT {\"id\":5} {\"id\":5,\"name\":\"y\",\"n\":1}\n");
  recorded(
      "insert or ignore into goods values (7, 'a', 1), (4, 'x', 1), (8, 'b', 1), (9, 'ink', 1), "
      "(10, 'c', 1)");
  EXPECT_EQ(recorded("insert or ignore into goods values (4, 'x', 1)"), "");
  EXPECT_EQ(recorded("delete from goods where id = 4"),
            "DELETE {\"id\":4} {\"id\":4,\"name\":\"cap\",\"n\":1}\n");
  EXPECT_EQ(recorded("insert into goods values (6, 'top', 1)"),
            "INSERT {\"id\":6} {\"id\":6,\"name\":\"top\",\"n\":1}\n");
}

TEST_P(CaptureReplace, RecordsWhatAFailureLeaves) {
  make(
      "create table goods (id integer primary key, name unique, check (name <> 'bad')); insert "
      "into goods values (1, 'ink'), (2, 'pen')");
  EXPECT_FALSE(
      client_->run("insert or replace into goods values (1, 'nib'), (2, 'bad')").has_value());
  EXPECT_EQ(witness_->look(), "");
  EXPECT_EQ(shop_.changes(start_), "");
  EXPECT_FALSE(client_->run("insert or fail into goods values (5, 'cap'), (2, 'top')").has_value());
  EXPECT_EQ(witness_->look(), "");
  EXPECT_EQ(shop_.changes(start_), "INSERT {\"id\":5} {\"id\":5,\"name\":\"cap\"}\n");
}

TEST_P(CaptureReplace, KeepsOrderWithCascadesToItself) {
  make(
      "create table goods (id integer primary key, name unique, up references goods on delete "
      "cascade on update cascade);"
      "insert into goods values (1, 'ink', null), (2, 'pen', 1), (3, 'nib', 2), (4, 'cap', null)");
  client("pragma foreign_keys = on");
  recorded("replace into goods values (1, 'new', null)");
  recorded("insert into goods values (5, 'a', 1), (6, 'b', 5), (7, 'c', 4)");
  recorded("update or replace goods set id = 4 where id = 1");
}

TEST_P(CaptureReplace, KeepsOrderWithSetNullToItself) {
  make(
      "create table goods (id integer primary key, name unique, up references goods on delete set "
      "null on update set null);"
      "insert into goods values (1, 'ink', null), (2, 'pen', 1), (3, 'nib', 1), (4, 'cap', 2)");
  client("pragma foreign_keys = on");
  recorded("replace into goods values (1, 'pen', 4)");
  recorded("insert into goods values (5, 'x', 4), (6, 'y', 5)");
  recorded("update or replace goods set id = 5 where id = 1");
}

TEST_P(CaptureReplace, SeesAnIndexThatWasDroppedOrMadeLater) {
  make(
      "create table goods (id integer primary key, name, n); create unique index by_name on goods "
      "(name);"
      "insert into goods values (1, 'ink', 0)");
  shop_.run("drop index by_name");
  EXPECT_EQ(recorded("replace into goods values (2, 'ink', 0)"),
            "INSERT {\"id\":2} {\"id\":2,\"name\":\"ink\",\"n\":0}\n");
  EXPECT_EQ(recorded("replace into goods values (2, 'ink', 1)"),
            "DELETE {\"id\":2} {\"id\":2,\"name\":\"ink\",\"n\":0}\nINSERT {\"id\":2} "
            "{\"id\":2,\"name\":\"ink\",\"n\":1}\n");
}

}  // namespace
}  // namespace vestige
