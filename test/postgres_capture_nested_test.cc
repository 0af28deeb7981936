// Statements inside statements: what triggers and cascades do to rows of the statement that made them run.
#include "test/postgres_capture.h"

namespace vestige {
namespace {

class PostgresCaptureNested : public testing::Test {
 protected:
  void SetUp() override {
    s.run("create table t (id int primary key, x int, y text, parent int)");
    s.run("select vestige.track('t')");
  }
  void replays() { EXPECT_EQ(shop.replayed("public.t"), ""); }
  std::string story(const std::string& key) {
    return s.one(
        "select string_agg(op::text || coalesce(old_row, '') || coalesce(new_row, ''), ' ' order "
        "by id) "
        "from vestige.change where key = '" +
        key + "'");
  }
  void trigger(const std::string& when, const std::string& body) {
    s.run("create function app() returns trigger language plpgsql as $f$ begin " + body +
          " return new; end $f$");
    s.run("create trigger app " + when + " on t for each row execute function app()");
  }

  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresCaptureNested, AfterTriggerChangesAnotherRowOfTheStatement) {
  s.run("insert into t values (1, 0), (2, 0), (3, 0)");
  trigger("after update",
          "if new.id = 1 and old.x = 0 then update t set x = x + 100 where id > 1; end if;");
  s.run("update t set x = x + 1");
  replays();
  EXPECT_EQ(story("2"), "I(2,0,,) U(,0,,)(,1,,) U(,1,,)(,101,,)");
}

TEST_F(PostgresCaptureNested, AToggleIsPutBackByTheTriggerOfTheSameStatement) {
  s.run("insert into t values (1, 0), (2, 0)");
  trigger("after update",
          "if new.id = 1 and new.x = 1 then update t set x = 0 where id = 2; end if;");
  s.run("update t set x = 1");
  EXPECT_EQ(story("2"), "I(2,0,,) U(,0,,)(,1,,) U(,1,,)(,0,,)");
  s.run(
      "begin; update t set x = 0 where id = 1; update t set x = 1 where id = 1; update t set x = 1 "
      "where id = 2; "
      "update t set x = 1 - x; commit");
  replays();
}

TEST_F(PostgresCaptureNested, BeforeInsertTriggerChangesAnEarlierRow) {
  trigger("before insert",
          "update t set x = x + 1 where id = new.id - 1; if new.id = 5 then delete from t where id "
          "= 4; end if;");
  s.run("insert into t select i, 0 from generate_series(1, 6) i");
  replays();
  EXPECT_EQ(story("1"), "I(1,0,,) U(,0,,)(,1,,)");
  EXPECT_EQ(story("4"), "I(4,0,,) U(,0,,)(,1,,) D(4,1,,)");
}

TEST_F(PostgresCaptureNested, BeforeTriggerMakesPlaceForTheRow) {
  s.run("insert into t values (1, 0), (2, 0), (3, 7)");
  trigger("before insert", "delete from t where id = new.id;");
  s.run("insert into t values (1, 5), (2, 6)");
  replays();
  s.run(
      "begin; insert into t values (1, 0); insert into t values (1, 0), (3, 7); delete from t "
      "where id = 1; "
      "insert into t values (1, 0), (2, 6); commit");
  replays();
  EXPECT_EQ(story("3"), "I(3,7,,) D(3,7,,) I(3,7,,)");
}

TEST_F(PostgresCaptureNested, CascadesToTheSameTable) {
  s.run("alter table t add foreign key (parent) references t on update cascade on delete cascade");
  s.run(
      "insert into t values (1, 0, null, null), (2, 0, null, 1), (3, 0, null, 2), (4, 0, null, 4), "
      "(5, 0, null, 1)");
  s.run("update t set id = id + 10, x = x + 1");
  replays();
  s.run("update t set id = id + 100, x = 5 where id in (11, 14)");
  replays();
  s.run("delete from t where id in (111, 12)");
  replays();
  EXPECT_EQ(s.one("select count(*)::text from t"), "1");
}

TEST_F(PostgresCaptureNested, SetNullInTheSameTable) {
  s.run(
      "alter table t add foreign key (parent) references t on update set null on delete set null");
  s.run(
      "insert into t values (1, 0, null, null), (2, 0, null, 1), (3, 0, null, 2), (4, 0, null, 4)");
  s.run("update t set id = id + 10, x = x + 1");
  s.run("update t set parent = 11 where id > 11");
  s.run("delete from t where id in (11, 13)");
  replays();
}

TEST_F(PostgresCaptureNested, TriggersWithinTriggers) {
  s.run("insert into t select i, 0 from generate_series(1, 4) i");
  trigger("after update",
          "if new.x < 6 then update t set x = x + 1, y = coalesce(y, '') || new.id where id >= "
          "new.id and x < 6; end if;");
  s.run("update t set x = x + 1");
  replays();
  s.run("begin; update t set x = 3 where id = 4; update t set x = 4; rollback");
  s.run(
      "begin; update t set x = 3 where id < 4; savepoint a; update t set x = 4; rollback to a; "
      "update t set x = 2; commit");
  replays();
}

TEST_F(PostgresCaptureNested, KeysMoveInsideStatements) {
  s.run("insert into t select i, 0 from generate_series(1, 4) i");
  trigger(
      "after update",
      "if old.id = 1 then update t set id = id + 50, y = 'moved' where id in (12, 13); end if;");
  s.run("update t set id = id + 10");
  replays();
  s.run("update t set id = id - 50 where id > 60");
  replays();
}

TEST_F(PostgresCaptureNested, NestedWritesOfManySessionsStayInOrder) {
  s.run("insert into t select i, 0 from generate_series(1, 40) i");
  trigger("after update",
          "if new.id % 5 = 1 and new.x <> old.x then update t set y = coalesce(y, '') || new.x "
          "where id between new.id + 1 and new.id + 4; end if;");
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k)
    threads.emplace_back([this, k] {
      PgSession mine = shop.connect();
      for (int i = 0; i < 25; ++i)
        mine.run("update t set x = x + 1 where id > " + std::to_string(k * 10) +
                 " and id <= " + std::to_string(k * 10 + 10));
    });
  for (auto& thread : threads) thread.join();
  replays();
}

TEST_F(PostgresCaptureNested, AKeyOfATypeWithAnOperatorOfItsOwn) {
  s.run(
      "create extension citext; create table c (id citext primary key, x int); select "
      "vestige.track('c')");
  s.run("insert into c values ('A', 0), ('b', 0)");
  s.run(
      "create function app2() returns trigger language plpgsql as $f$ begin "
      "if new.id = 'a' and new.x = 1 then update c set x = x + 5 where id = 'B'; end if; return "
      "null; end $f$");
  s.run("create trigger app after update on c for each row execute function app2()");
  s.run("update c set x = 1");
  EXPECT_EQ(shop.replayed("public.c"), "");
}

}  // namespace
}  // namespace vestige
