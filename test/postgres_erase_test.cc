// Erasing with plain SQL: by whom, and what the SQL API says afterwards. The verb and the rest: erase_test.cc.
#include <gtest/gtest.h>

#include "test/postgres_capture.h"

namespace vestige {
namespace {

// A statement in a transaction that says why.
std::string with_reason(const std::string& sql) {
  return "begin; select vestige.set_context('{\"actor\": \"dpo\", \"reason\": \"request 4711\"}');"
         " select vestige." +
         sql + "; commit";
}

class PostgresErase : public testing::Test {
 protected:
  void SetUp() override {
    s.run(
        "create table t (a int, b int, x text, primary key (a, b)); select vestige.track('t');"
        "insert into t values (1, 1, 'one'), (2, 2, 'two')");
    s.run("update t set x = 'uno' where a = 1");
    s.run("update t set x = 'eins' where a = 1");
  }
  std::string change(int place) {
    return s.one(fmt::format("select id::text from vestige.change order by id offset {} limit 1",
                             place - 1));
  }
  std::string as_of(int place) {
    return s.one(
        "select string_agg(concat(a, x), ' ' order by a) from"
        " vestige.as_of_change(null::t, " +
        change(place) + ")");
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresErase, ARowByItsKey) {
  EXPECT_NE(s.error("select vestige.erase('t', '1', '1')").find("erase: a reason is needed"),
            std::string::npos);
  EXPECT_EQ(s.error("select vestige.erase('t', '1')"),
            "run sql: erase: the key of public.t has 2 values");
  EXPECT_EQ(s.error("select vestige.erase('t', '9', '9')"),
            "run sql: erase public.t 9 9: the trail has no change of such a row");
  s.run(with_reason("erase_changes('{}')"));
  s.run(with_reason("erase('t', '1', '1')"));
  EXPECT_EQ(s.one("select string_agg(concat_ws(' ', action, key ->> 'a', new_values ->> 'x',"
                  " erased is not null), ', ' order by id) from vestige.audit_log"),
            "INSERT 1 t, INSERT 2 two f, UPDATE 1 t, UPDATE 1 t, ERASE f");
  EXPECT_EQ(s.one("select concat_ws(' ', changed_by, reason, old_values, new_values) from"
                  " vestige.audit_log where action = 'ERASE'"),
            "dpo request 4711");
  EXPECT_EQ(s.one("select erases::text from vestige.changes where op = 'ERASE'"), "3");
}

TEST_F(PostgresErase, WhatTheChangesBeforeLeft) {
  s.run(with_reason(fmt::format("erase_changes('{{{}}}')", change(4))));
  EXPECT_EQ(as_of(2), "2two") << "what the row was before is not known";
  EXPECT_EQ(as_of(4), "1eins 2two");
  EXPECT_EQ(s.one("select string_agg(concat_ws(' ', \"column\", action, changed_by), ', ' order by"
                  " \"column\") from vestige.blame('t', '1', '1')"),
            "a ERASE dpo, b ERASE dpo, x ERASE dpo");
  s.run("delete from t where a = 1");
  s.run(with_reason(fmt::format("erase_changes('{{{}}}')", change(6))));
  EXPECT_NE(s.error("select * from vestige.blame('t', '1', '1')")
                .find("blame: the values of public.t when it was deleted were erased by change "),
            std::string::npos);
  const std::string undone = s.error(fmt::format(
      "select vestige.revert((select tx from vestige.changes where id = {}))", change(6)));
  EXPECT_NE(undone.find("its values were erased by change"), std::string::npos) << undone;
  EXPECT_EQ(
      s.one(fmt::format("select done || ' ' || conflict from vestige.undo({}, true)", change(5))),
      "conflict an erasure cannot be undone");
}

// A whole transaction is not undone at once when part of it is gone: a DELETE would come back as nulls.
TEST_F(PostgresErase, ATransactionOfWhichPartIsGone) {
  s.run("delete from t");
  s.run(with_reason(fmt::format("erase_changes('{{{}}}', keys => true)", change(6))));
  const std::string undone = s.error(fmt::format(
      "select vestige.revert((select tx from vestige.changes where id = {}))", change(6)));
  EXPECT_NE(undone.find("its values were erased by change"), std::string::npos) << undone;
  EXPECT_EQ(s.one("select count(*)::text from t"), "0");
}

TEST_F(PostgresErase, KeysThatMovedAndRowsThatCameBack) {
  s.run("update t set a = 3 where a = 1");
  s.run("update t set a = 1, x = 'again' where a = 2");
  s.run(with_reason(fmt::format("erase_changes('{{{}}}')", change(4))));
  EXPECT_EQ(as_of(2), "2two");
  EXPECT_EQ(as_of(5), "2two 3eins");
  s.run("drop table t");
  EXPECT_EQ(s.one("select count(*)::text from vestige.audit_log where erased is not null"), "1");
}

TEST_F(PostgresErase, ByAnAdminOfTheTable) {
  const std::string admin = shop.role("admin");
  const std::string reader = shop.role("reader");
  s.run("grant vestige_admin to " + admin + "; grant vestige_reader to " + reader);
  PgSession mine = shop.connect(admin);
  PgSession looks = shop.connect(reader);
  const std::string all =
      with_reason(fmt::format("erase_changes('{{{},{}}}', true, true)", change(1), change(3)));
  EXPECT_NE(mine.error(all).find("owns neither the table nor the trail"), std::string::npos);
  EXPECT_NE(looks.error(all).find("permission denied"), std::string::npos);
  s.run("alter table t owner to " + admin);
  mine.run("rollback; " + all);
  looks.run("rollback");
  EXPECT_EQ(looks.one("select string_agg(concat_ws(' ', op, key, erased ->> 'values', erased ->>"
                      " 'key'), ', ' order by id) from vestige.changes where erased is not null"),
            fmt::format("INSERT {{}} {0} {0}, UPDATE {{}} {0} {0}", change(5)));
  EXPECT_EQ(looks.one("select db_user::text from vestige.changes where op = 'ERASE'"), admin);
  EXPECT_NE(mine.error("update vestige.change set old_row = null").find("permission denied"),
            std::string::npos);
}

// A context is that of a transaction: who erases it takes it from the changes of other people's tables as well.
TEST_F(PostgresErase, EveryOwnerIsAsked) {
  const std::string ann = shop.role("ann");
  const std::string bob = shop.role("bob");
  s.run(
      fmt::format("create table a (id int primary key); alter table a owner to {0};"
                  "create table b (id int primary key); alter table b owner to {1};"
                  "select vestige.track('a'); select vestige.track('b');"
                  "grant vestige_admin to {0}, {1}; begin;"
                  "select vestige.set_context('{{\"actor\": \"who\"}}');"
                  "insert into a values (1); insert into b values (1); commit",
                  ann, bob));
  const std::string id = s.one(
      "select c.id::text from vestige.change c join vestige.tracked t on t.id = c.tracked where"
      " t.table_name = 'a'");
  const std::string erasing =
      with_reason(fmt::format("erase_changes('{{{}}}', contexts => true)", id));
  PgSession mine = shop.connect(ann);
  const std::string error = mine.error(erasing);
  mine.run("rollback");
  EXPECT_NE(error.find("erase what the context says of public.b: "), std::string::npos) << error;
  EXPECT_NE(error.find("owns neither the table nor the trail"), std::string::npos) << error;
  const auto said = [&] {
    return s.one("select count(*)::text from vestige.context where fields like '%who%'");
  };
  EXPECT_EQ(said(), "1");
  mine.run(with_reason(fmt::format("erase_changes('{{{}}}')", id)));  // values are the owner's
  // The table is gone: only the trail's owner is left to ask.
  s.run("drop table b");
  EXPECT_NE(mine.error(erasing), "");
  EXPECT_EQ(said(), "1");
  EXPECT_EQ(s.error(erasing), "");
  EXPECT_EQ(said(), "0");
}

TEST_F(PostgresErase, AContextThatIsHardToWriteDown) {
  s.run(
      "set application_name = 'a \"quoted\" \\ name';"
      "begin; select vestige.set_context('{\"actor\": \"ann\"}'); update t set x = 'due' where a = "
      "2;"
      "commit");
  s.run(with_reason(fmt::format("erase_changes('{{{}}}', contexts => true)", change(5))));
  EXPECT_EQ(s.one("select count(*)::text from vestige.context where fields ~ 'ann'"), "0");
  EXPECT_EQ(
      s.one("select (parts ~ '^values,context=[A-Za-z0-9+/]{43}=$')::text from vestige.erased"),
      "true");
}

}  // namespace
}  // namespace vestige
