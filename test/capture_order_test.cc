// Changes of a row come in the order in which they happened, whatever order SQLite fires triggers in.
#include <gtest/gtest.h>

#include "test/capture_replay.h"

namespace vestige {
namespace {

// Each with recursive_triggers off and on.
class CaptureOrder : public testing::TestWithParam<bool> {
 protected:
  void make(const std::string& sql, const std::string& later = "",
            const std::vector<std::string>& tables = {"goods"}) {
    shop_.run(sql);
    shop_.with_trail();
    for (const std::string& table : tables) shop_.track(table);
    shop_.run(later);
    client_ = shop_.connect();
    must(client_->script(GetParam() ? "pragma recursive_triggers = on"
                                    : "pragma recursive_triggers = off"));
    must(client_->script("pragma foreign_keys = on"));
    witness_ = std::make_unique<Witness>(shop_.db(), tables);
  }
  std::string recorded(const std::string& sql) {
    const std::int64_t before = shop_.last_change();
    must(client_->script(sql));
    EXPECT_EQ(witness_->look(), "") << sql;
    EXPECT_EQ(shop_.rows("select count(*) from vestige_change where backward <= 0"), "0\n");
    return shop_.changes(before);
  }
  // The same, as one transaction.
  std::string recorded_once(const std::string& sql) {
    const std::int64_t before = shop_.last_change();
    const std::string out = recorded(sql);
    EXPECT_EQ(shop_.rows(fmt::format("select count(distinct tx), min(tx) = {} from vestige_change "
                                     "where id > {}",
                                     before + 1, before)),
              "1|1\n")
        << sql;
    return out;
  }

  Shop shop_;
  std::unique_ptr<Sqlite> client_;
  std::unique_ptr<Witness> witness_;
};

INSTANTIATE_TEST_SUITE_P(Recursive, CaptureOrder, testing::Bool(), [](const auto& parameter) {
  return parameter.param ? "TriggersOn" : "TriggersOff";
});

TEST_P(CaptureOrder, OfATriggerThatIsNewerThanCapture) {
  make(
      "create table goods (id integer primary key, name, updated default 0)",
      "create trigger touch after update of name on goods begin update goods set updated = updated "
      "+ 1 where id = NEW.id; end;"
      "create trigger made after insert on goods begin update goods set updated = 1 where id = "
      "NEW.id; end");
  EXPECT_EQ(recorded_once("insert into goods (id, name) values (1, 'ink')"),
            "INSERT {\"id\":1} {\"id\":1,\"name\":\"ink\",\"updated\":0}\n"
            "UPDATE {\"id\":1} {\"updated\":0} {\"updated\":1}\n");
  EXPECT_EQ(recorded_once("update goods set name = 'pen', updated = 5"),
            "UPDATE {\"id\":1} {\"name\":\"ink\",\"updated\":1} {\"name\":\"pen\",\"updated\":5}\n"
            "UPDATE {\"id\":1} {\"updated\":5} {\"updated\":6}\n");
  recorded_once("insert into goods (name) values ('a'), ('b'), ('c')");
  recorded_once("update goods set name = name || '!'");
  recorded("update goods set name = 'x', id = id + 10 where id < 3");
  EXPECT_EQ(recorded("update goods set updated = 7 where id = 3"),
            "UPDATE {\"id\":3} {\"updated\":2} {\"updated\":7}\n");
}

TEST_P(CaptureOrder, OfATriggerThatIsOlderThanCapture) {
  make(
      "create table goods (id integer primary key, name, updated default 0);"
      "create trigger touch after update of name on goods begin update goods set updated = updated "
      "+ 1 where id = NEW.id; end");
  recorded_once("insert into goods (id, name) values (1, 'ink'), (2, 'pen'), (3, 'nib')");
  recorded_once("update goods set name = name || '!'");
  EXPECT_EQ(recorded_once("update goods set name = 'x', updated = 5 where id = 1"),
            "UPDATE {\"id\":1} {\"name\":\"ink!\",\"updated\":1} {\"name\":\"x\",\"updated\":5}\n"
            "UPDATE {\"id\":1} {\"updated\":5} {\"updated\":6}\n");
}

TEST_P(CaptureOrder, OfStatementsWithinOneMillisecond) {
  make("create table goods (id integer primary key, n)",
       "create trigger flip after update of n on goods when NEW.n in (1, 7) begin update goods set "
       "n "
       "= 1 - NEW.n where id = NEW.id; end");
  recorded("insert into goods values (1, 0), (2, 0)");
  for (int i = 0; i < 50; ++i) {
    recorded(
        "begin; insert into vestige_session (actor) values ('ann'); update goods set n = 1; update "
        "goods set n = 1; update goods set n = 5; update goods set n = 1 where id = 1; update "
        "goods "
        "set n = 7; update goods set n = 0; delete from vestige_session; commit");
  }
}

TEST_P(CaptureOrder, OfATriggerThatTakesBack) {
  make(
      "create table goods (id integer primary key, name); create table done (id integer primary "
      "key, name)",
      "create trigger move after insert on goods begin insert into done values (NEW.id, NEW.name); "
      "delete from goods where id = NEW.id; end;"
      "create trigger stay after delete on done begin insert into done values (OLD.id, OLD.name || "
      "'!'); end;"
      "create trigger fixed after update on done begin update done set name = OLD.name where id = "
      "OLD.id; end",
      {"goods", "done"});
  EXPECT_EQ(recorded("insert into goods values (1, 'ink')"),
            "INSERT {\"id\":1} {\"id\":1,\"name\":\"ink\"}\n"
            "INSERT {\"id\":1} {\"id\":1,\"name\":\"ink\"}\n"
            "DELETE {\"id\":1} {\"id\":1,\"name\":\"ink\"}\n");
  recorded("insert into goods values (2, 'a'), (3, 'b')");
  recorded("delete from done where id = 1");
  recorded("delete from done; delete from done");
  if (!GetParam()) recorded("update done set name = 'never'");
}

TEST_P(CaptureOrder, OfManyAndWideRows) {
  std::string columns;
  for (int i = 0; i < 70; ++i) columns += fmt::format(", c{} default {}", i, i);
  make(
      "create table goods (a text, n default 0" + columns + ", primary key (a)) without rowid",
      "create trigger touch after update of c40 on goods begin update goods set n = n + 1, c69 = "
      "NEW.c40, c3 = c3 + 1 where a = NEW.a; end;"
      "create trigger made after insert on goods begin update goods set c69 = 'new', c40 = c40 + 1 "
      "where a = NEW.a; end");
  recorded_once(
      "insert into goods (a) with recursive n (i) as (select 1 union all select i + 1 from n where "
      "i < 200) select 'k' || i from n");
  recorded_once("update goods set c40 = c40 || a, c20 = 'x'");
  recorded_once("update goods set a = a || '!', c40 = 8, c69 = 9");
  // What the row index says agrees with the changes.
  EXPECT_EQ(shop_.rows("select count(*) from vestige_key as k where not exists (select 1 from "
                       "vestige_change as c where c.id = k.id and (c.key is k.key or c.new_key is "
                       "k.key))"),
            "0\n");
  EXPECT_EQ(shop_.rows("select count(*) from vestige_change as c where id <= (select max(id) >> 9 "
                       "<< 9 from vestige_change) and not exists (select 1 from vestige_key as k "
                       "where k.id = c.id and k.key is c.key)"),
            "0\n");
}

TEST_P(CaptureOrder, OfTheKeyOfARowThatRefersToItself) {
  make(
      "create table goods (id integer primary key, up references goods on update cascade on delete "
      "cascade, n); insert into goods values (1, 1, 0), (2, 1, 0), (3, 2, 0)");
  EXPECT_EQ(recorded_once("update goods set id = 9, n = 1 where id = 1"),
            "UPDATE {\"id\":2} {\"up\":1} {\"up\":9}\n"
            "UPDATE {\"id\":1}→{\"id\":9} {\"id\":1,\"n\":0} {\"id\":9,\"n\":1}\n"
            "UPDATE {\"id\":9} {\"up\":1} {\"up\":9}\n");
  recorded_once("delete from goods where id = 9");
}

TEST_P(CaptureOrder, OfAnUpdateThatPutsBackWhatACascadeTookAway) {
  make(
      "create table goods (id integer primary key, name unique, up references goods on delete set "
      "null, also references goods on delete cascade);"
      "insert into goods values (1, 'ink', 2, null), (2, 'pen', null, null), (3, 'nib', null, 4), "
      "(4, 'cap', 1, null)");
  if (GetParam()) {
    // SQLite itself refuses this, once a table has a DELETE trigger: docs/sqlite.md.
    for (const char* sql : {"update or replace goods set name = 'pen' where id = 1",
                            "update or replace goods set name = 'cap' where id = 3"})
      EXPECT_EQ(error_of(client_->run(sql)).message, "run sql: constraint failed");
    EXPECT_EQ(witness_->look(), "");
    return;
  }
  EXPECT_EQ(recorded_once("update or replace goods set name = 'pen' where id = 1"),
            "DELETE {\"id\":2} {\"id\":2,\"name\":\"pen\",\"up\":null,\"also\":null}\n"
            "UPDATE {\"id\":1} {\"up\":2} {\"up\":null}\n"
            "UPDATE {\"id\":1} {\"up\":null} {\"up\":2}\n"
            "UPDATE {\"id\":1} {\"name\":\"ink\"} {\"name\":\"pen\"}\n");
  EXPECT_EQ(recorded_once("update or replace goods set name = 'cap' where id = 3"),
            "DELETE {\"id\":4} {\"id\":4,\"name\":\"cap\",\"up\":1,\"also\":null}\n"
            "DELETE {\"id\":3} {\"id\":3,\"name\":\"nib\",\"up\":null,\"also\":4}\n");
}

TEST_P(CaptureOrder, OfARowThatMoves) {
  make(
      "create table goods (name unique, n); insert into goods (rowid, name, n) values (1, 'ink', "
      "0), (2, 'pen', 0), (3, 'nib', 0), (4, 'cap', 0)");
  recorded_once("update goods set rowid = 9 where rowid = 1");
  EXPECT_EQ(shop_.rows("select op, row_id, v0 from vestige_change order by id"),
            "D|1|ink\nI|9|ink\n");
  recorded_once("update goods set _rowid_ = 10, n = 5 where rowid = 9");
  recorded_once("update or replace goods set oid = 3, name = 'cap' where rowid = 2");
  EXPECT_EQ(shop_.rows("select rowid, name from goods order by 1"), "3|cap\n10|ink\n");
  EXPECT_EQ(recorded("update goods set rowid = rowid"), "");
  recorded_once("update goods set rowid = rowid, n = 7");
}

TEST_P(CaptureOrder, OfARowThatMovesAndIsWrittenAgainAtOnce) {
  make("create table goods (name, n); insert into goods values ('ink', 21)",
       "create trigger newer after update on goods begin update goods set n = length(NEW.n) where "
       "rowid = NEW.rowid and n is not length(NEW.n); end");
  for (int i = 0; i < 20; ++i)
    recorded_once(fmt::format("update goods set rowid = {}, n = 21", i + 7));
  EXPECT_EQ(shop_.rows("select op, row_id from vestige_change order by id limit 6"),
            GetParam() ? "D|1\nI|7\nU|7\nU|7\nD|7\nI|8\n" : "D|1\nI|7\nU|7\nD|7\nI|8\nU|8\n");
}

TEST_P(CaptureOrder, OfAKeyThatIsGivenAgain) {
  make("create table goods (id integer primary key, n)",
       "create trigger made after insert on goods begin update goods set n = n + 1 where id = "
       "NEW.id; end");
  EXPECT_EQ(recorded_once("insert into goods values (1, 0), (1, 0), (1, 5) on conflict do update "
                          "set id = 4"),
            "INSERT {\"id\":1} {\"id\":1,\"n\":0}\n"
            "UPDATE {\"id\":1} {\"n\":0} {\"n\":1}\n"
            "UPDATE {\"id\":1}→{\"id\":4} {\"id\":1} {\"id\":4}\n"
            "INSERT {\"id\":1} {\"id\":1,\"n\":5}\n"
            "UPDATE {\"id\":1} {\"n\":5} {\"n\":6}\n");
}

TEST_P(CaptureOrder, OfAKeyWhoseRowIsChangedTwiceAtOnce) {
  make("create table goods (id integer primary key, n, m); insert into goods values (1, 0, 0)",
       "create trigger twice after update of id on goods begin update goods set n = 1 where id = "
       "NEW.id; update goods set m = 2 where id = NEW.id; end");
  EXPECT_EQ(recorded_once("update goods set id = 9"),
            "UPDATE {\"id\":1}→{\"id\":9} {\"id\":1} {\"id\":9}\n"
            "UPDATE {\"id\":9} {\"n\":0} {\"n\":1}\n"
            "UPDATE {\"id\":9} {\"m\":0} {\"m\":2}\n");
}

// The upsert's row has row 1 in its way; another row's trigger then replaces that.
TEST_P(CaptureOrder, OfARowThatSeveralHadInTheirWay) {
  make(
      "create table goods (id integer primary key, name unique); create trigger made after insert "
      "on goods begin update or replace goods set name = 'x' where id = NEW.id; end");
  EXPECT_EQ(recorded_once("insert into goods values (1, 'a'), (1, 'b'), (2, 'c'), (3, 'd') on "
                          "conflict (id) do nothing"),
            "INSERT {\"id\":1} {\"id\":1,\"name\":\"a\"}\n"
            "UPDATE {\"id\":1} {\"name\":\"a\"} {\"name\":\"x\"}\n"
            "INSERT {\"id\":2} {\"id\":2,\"name\":\"c\"}\n"
            "DELETE {\"id\":1} {\"id\":1,\"name\":\"x\"}\n"
            "UPDATE {\"id\":2} {\"name\":\"c\"} {\"name\":\"x\"}\n"
            "INSERT {\"id\":3} {\"id\":3,\"name\":\"d\"}\n"
            "DELETE {\"id\":2} {\"id\":2,\"name\":\"x\"}\n"
            "UPDATE {\"id\":3} {\"name\":\"d\"} {\"name\":\"x\"}\n");
}

}  // namespace
}  // namespace vestige
