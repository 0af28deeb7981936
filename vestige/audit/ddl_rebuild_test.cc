// Tables that a migration rebuilds: create, copy, drop, rename, in the order of several tools; and the
// foreign keys meanwhile. Random rebuilds: kept_rows_test.cc.
#include "test/migrating_shop.h"

namespace vestige {
namespace {

TEST_F(DdlTest, ARebuiltTableGoesOnAsTheSameTrackedTable) {
  EXPECT_EQ(migrate(kDjango),
            "products: rebuilt, goes on as the same tracked table; altered by the copy: 0 updated, "
            "0 deleted,"
            " 0 inserted\n");
  EXPECT_EQ(recorded(), "");
  EXPECT_EQ(shop_.rows("select id, name from vestige_table"), "1|products\n");
  before_ = shop_.last_change();
  shop_.run("update products set size = 2, price = 6 where id = 1");
  EXPECT_EQ(recorded(), "UPDATE {\"id\":1} {\"price\":5,\"size\":1} {\"price\":6,\"size\":2}\n");
}

TEST_F(DdlTest, RecordsTheRowsThatTheCopyAltered) {
  EXPECT_EQ(
      migrate(
          "create table _alembic_tmp_products (id integer primary key, name text, price real,"
          " size default 3);"
          "insert into _alembic_tmp_products (id, name, price) select id, name, price from products"
          " where id <> 2;"
          "update _alembic_tmp_products set name = 'tint' where id = 1;"
          "insert into _alembic_tmp_products (id, name, price) values (8, 'cup', null);"
          "drop table products;"
          "alter table _alembic_tmp_products rename to products;"),
      "products: rebuilt, goes on as the same tracked table; altered by the copy: 2 updated, 1 "
      "deleted,"
      " 1 inserted\n");
  EXPECT_EQ(recorded(),
            "DELETE {\"id\":2} {\"id\":2,\"name\":\"pen\",\"price\":7}\n"
            "UPDATE {\"id\":1} {\"name\":\"ink\",\"price\":5} {\"name\":\"tint\",\"price\":5.0}\n"
            "UPDATE {\"id\":3} {\"price\":9} {\"price\":9.0}\n"
            "INSERT {\"id\":8} {\"id\":8,\"name\":\"cup\",\"price\":null,\"size\":3}\n");
}

TEST_F(DdlTest, KnowsTheDanceThatRenamesTheOldTableFirst) {
  EXPECT_EQ(migrate("alter table products rename to products_old;"
                    "create table products (id integer primary key, name text, price integer);"
                    "insert into products select id, upper(name), price from products_old;"
                    "drop table products_old"),
            "products: renamed to products_old\n"
            "products: rebuilt, goes on as the same tracked table; altered by the copy: 3 updated, "
            "0 deleted,"
            " 0 inserted\n");
  EXPECT_EQ(recorded().substr(0, 45), "UPDATE {\"id\":1} {\"name\":\"ink\"} {\"name\":\"INK\"}");
}

TEST_F(DdlTest, KnowsTheDanceThatCopiesThereAndBack) {
  EXPECT_EQ(migrate("create temporary table aproducts as select * from products;"
                    "drop table products;"
                    "create table products (id integer primary key, name text, price integer);"
                    "insert into products select * from aproducts;"
                    "update products set price = 6 where id = 1;"
                    "drop table temp.aproducts"),
            "products: rebuilt, goes on as the same tracked table; altered by the copy: 1 updated, "
            "0 deleted,"
            " 0 inserted\n");
  EXPECT_EQ(recorded(), "UPDATE {\"id\":1} {\"price\":5} {\"price\":6}\n");
}

TEST_F(DdlTest, RecordsWhatWasWrittenBeforeTheDance) {
  migrate(std::string("update products set price = 8 where id = 1;") + std::string(kDjango) +
          "; update products set price = 9 where id = 1");
  EXPECT_EQ(recorded(),
            "UPDATE {\"id\":1} {\"price\":5} {\"price\":8}\nUPDATE {\"id\":1} {\"price\":8} "
            "{\"price\":9}\n");
}

TEST_F(DdlTest, AColumnIsRenamedAfterTheDance) {
  EXPECT_EQ(migrate(std::string(kDjango) + "; alter table products rename column name to title;" +
                    "alter table products rename column title to label"),
            "products: rebuilt, goes on as the same tracked table; altered by the copy: 0 updated, "
            "0 deleted,"
            " 0 inserted\n"
            "products: column name renamed to title\n"
            "products: column title renamed to label\n");
  EXPECT_EQ(recorded(), "");
  EXPECT_NE(shop_.changes().find("\"label\":\"ink\""), std::string::npos);
}

TEST_F(DdlTest, TheDanceMayBeDancedTwice) {
  migrate(std::string(kDjango) + ";" + std::string(kDjango));
  EXPECT_EQ(recorded(), "");
  EXPECT_EQ(must(tracked_table(shop_.db(), "products")).id, 1);
}

TEST_F(DdlTest, AColumnThatTheDanceRenamedKeepsItsHistory) {
  EXPECT_EQ(migrate("create table n (code integer primary key, name text, amount integer);"
                    "insert into n select * from products; drop table products;"
                    "alter table n rename to products"),
            "products: column id renamed to code\nproducts: column price renamed to amount\n"
            "products: rebuilt, goes on as the same tracked table; altered by the copy: 0 updated, "
            "0 deleted,"
            " 0 inserted\n");
  EXPECT_EQ(recorded(), "");
  EXPECT_EQ(
      shop_.rows("select count(distinct json_extract(columns, '$[2].id')) from vestige_shape"),
      "1\n");
}

TEST_F(DdlTest, AnExcludedColumnThatTheDanceRenamedStaysExcluded) {
  shop_.track("products", excluding({"name"}));
  migrate(
      "create table n (id integer primary key, title text, price integer);"
      "insert into n select * from products; drop table products;"
      "alter table n rename to products");
  EXPECT_EQ(must(tracked_table(shop_.db(), "products")).policy.exclude,
            std::vector<std::string>{"title"});
  migrate(
      "create table n (id integer primary key, label text, price integer);"
      "insert into n select id, upper(title), price from products; drop table products;"
      "alter table n rename to products");
  EXPECT_EQ(must(tracked_table(shop_.db(), "products")).policy.exclude, std::vector<std::string>());
}

TEST_F(DdlTest, AColumnWithOtherValuesIsAnotherColumn) {
  migrate(
      "create table n (id integer primary key, name text, amount integer);"
      "insert into n select id, name, price * 100 from products; drop table products;"
      "alter table n rename to products");
  EXPECT_EQ(
      shop_.rows("select count(distinct json_extract(columns, '$[2].id')) from vestige_shape"),
      "2\n");
}

TEST_F(DdlTest, ARebuiltTableMayHaveAnotherKey) {
  EXPECT_EQ(
      migrate("create table n (name text primary key, price integer);"
              "insert into n select name, price from products where id < 3; drop table products;"
              "alter table n rename to products"),
      "products: rebuilt, goes on as the same tracked table; altered by the copy: 0 updated, 1 "
      "deleted,"
      " 0 inserted\n");
  EXPECT_EQ(recorded(), "DELETE {\"id\":3} {\"id\":3,\"name\":\"cap\",\"price\":9}\n");
  before_ = shop_.last_change();
  shop_.run("update products set price = 6 where name = 'ink'");
  EXPECT_EQ(recorded(), "UPDATE {\"name\":\"ink\"} {\"price\":5} {\"price\":6}\n");
}

TEST_F(DdlTest, ARebuiltTableMayHaveNothingInCommon) {
  migrate(
      "drop table products; create table products (a text primary key, b) without rowid;"
      "insert into products values ('x', 1), ('y', 2)");
  EXPECT_EQ(
      recorded(),
      "DELETE {\"id\":1} {\"id\":1,\"name\":\"ink\",\"price\":5}\n"
      "DELETE {\"id\":2} {\"id\":2,\"name\":\"pen\",\"price\":7}\n"
      "DELETE {\"id\":3} {\"id\":3,\"name\":\"cap\",\"price\":9}\n"
      "INSERT {\"a\":\"x\"} {\"a\":\"x\",\"b\":1}\nINSERT {\"a\":\"y\"} {\"a\":\"y\",\"b\":2}\n");
}

TEST_F(DdlTest, RowsWithoutAKeyAreMatchedWhole) {
  shop_.run("create table notes (text, n)");
  shop_.track("notes");
  shop_.run("insert into notes values ('a', 1), ('a', 1), ('b', null), ('c', 1.0), (x'00', 0)");
  EXPECT_EQ(migrate("create table n (text, n, x default 7);"
                    "insert into n (text, n) values (x'00', 0), ('a', 1), ('c', 1), ('b', null);"
                    "drop table notes; alter table n rename to notes"),
            "notes: rebuilt, goes on as the same tracked table; altered by the copy: 0 updated, 2 "
            "deleted,"
            " 1 inserted\n");
  EXPECT_EQ(recorded(),
            "DELETE {} {\"text\":\"a\",\"n\":1}\nDELETE {} {\"text\":\"c\",\"n\":1.0}\n"
            "INSERT {} {\"text\":\"c\",\"n\":1,\"x\":7}\n");
}

TEST_F(DdlTest, KeepsEveryBitOfTheRowsThatItCopies) {
  shop_.run(
      "create table odd (a text collate nocase, b real, c blob, \"vestige x\" any, rowid text,"
      " g generated always as (b * 2) stored, primary key (a, b)) without rowid");
  shop_.track("odd");
  shop_.run(
      "insert into odd values ('A', 0.1, x'', 'x' || char(0) || 'y', null),"
      " ('b', 1e300, 9e999, 5e-324, '1'), ('c', 3.5, 'text', -9223372036854775808, x'ff')");
  migrate(
      "create table n (a text collate nocase, b real, c blob, \"vestige x\" any, rowid text,"
      " g generated always as (b * 2) stored, primary key (a, b)) without rowid;"
      "insert into n select a, b, c, \"vestige x\", rowid from odd; drop table odd;"
      "alter table n rename to odd");
  EXPECT_EQ(recorded(), "");
  migrate("drop table odd");
  EXPECT_EQ(recorded(),
            "DELETE {\"a\":\"A\",\"b\":0.1} {\"a\":\"A\",\"b\":0.1,\"c\":{\"$blob\":\"\"},"
            "\"vestige x\":\"x\\u0000y\",\"rowid\":null,\"g\":0.2}\n"
            "DELETE {\"a\":\"b\",\"b\":1e+300} {\"a\":\"b\",\"b\":1e+300,\"c\":{\"$real\":\"Inf\"},"
            "\"vestige x\":5e-324,\"rowid\":\"1\",\"g\":2e+300}\n"
            "DELETE {\"a\":\"c\",\"b\":3.5} {\"a\":\"c\",\"b\":3.5,\"c\":\"text\","
            "\"vestige x\":-9223372036854775808,\"rowid\":{\"$blob\":\"ff\"},\"g\":7.0}\n");
}

TEST_F(DdlTest, AKeyThatTheCopyRespelledIsAChangeOfTheKey) {
  shop_.run("create table words (w text primary key collate nocase, n)");
  shop_.track("words");
  shop_.run("insert into words values ('ink', 1)");
  migrate(
      "create table n (w text primary key collate nocase, n); insert into n select upper(w), n "
      "from words;"
      "drop table words; alter table n rename to words");
  EXPECT_EQ(recorded(), "UPDATE {\"w\":\"ink\"}→{\"w\":\"INK\"} {\"w\":\"ink\"} {\"w\":\"INK\"}\n");
}

TEST_F(DdlTest, WideTablesAreComparedWhole) {
  std::string columns = "id integer primary key";
  for (int i = 0; i < 120; ++i) columns += fmt::format(", c{} default {}", i, i);
  shop_.run("create table wide (" + columns + ")");
  shop_.track("wide");
  shop_.run("insert into wide (id) values (1), (2)");
  migrate("create table n (" + columns +
          "); insert into n select * from wide;"
          "update n set c5 = 'x', c110 = 'y' where id = 2; drop table wide; alter table n rename "
          "to wide");
  EXPECT_EQ(recorded(),
            "UPDATE {\"id\":2} {\"c5\":5,\"c110\":110} {\"c5\":\"x\",\"c110\":\"y\"}\n");
}

TEST_F(DdlTest, RequiredContextIsRequiredOfTheCopyToo) {
  shop_.track("products", requiring({"reason"}));
  const std::string dance =
      "create table n (id integer primary key, name text, price integer);"
      "insert into n select id, name, price + 1 from products; drop table products;"
      "alter table n rename to products";
  const Error error = refused(dance);
  EXPECT_TRUE(error.message.starts_with("run ddl: go on with the rebuilt products: "))
      << error.message;
  EXPECT_NE(error.message.find("requires reason"), std::string::npos) << error.message;
  EXPECT_EQ(error.hint,
            "its policy may name what is gone, or the context may lack what it requires");
  Context context;
  context.set("reason", "new prices");
  migrate(dance, context);
}

TEST_F(DdlTest, ADroppedTableLeavesItsRowsInTheTrail) {
  EXPECT_EQ(migrate("drop table if exists products"),
            "products: dropped and untracked, 3 rows recorded as deleted; its history stays\n");
  EXPECT_EQ(recorded(),
            "DELETE {\"id\":1} {\"id\":1,\"name\":\"ink\",\"price\":5}\n"
            "DELETE {\"id\":2} {\"id\":2,\"name\":\"pen\",\"price\":7}\n"
            "DELETE {\"id\":3} {\"id\":3,\"name\":\"cap\",\"price\":9}\n");
  EXPECT_EQ(shop_.rows("select name, untracked_at is null from vestige_table"), "products|0\n");
}

TEST_F(DdlTest, AnotherTrackedTableMayTakeTheNameOfADroppedOne) {
  shop_.run("create table goods (id integer primary key, x)");
  shop_.track("goods");
  EXPECT_EQ(migrate("drop table products; alter table goods rename to products"),
            "goods: renamed to products\n"
            "products: dropped and untracked, 3 rows recorded as deleted; its history stays\n");
  EXPECT_EQ(shop_.rows("select id, name, untracked_at is null from vestige_table"),
            "1|products|0\n2|products|1\n");
}

TEST_F(DdlTest, AViewOrATempTableOfTheNameIsNoSuccessor) {
  migrate("drop table products; create view products as select 1 as id");
  EXPECT_EQ(shop_.rows("select untracked_at is null from vestige_table"), "0\n");
}

TEST_F(DdlTest, DroppingATempTableOfTheSameNameDropsNothing) {
  EXPECT_EQ(migrate("create temp table products (x); drop table products"), "");
  EXPECT_EQ(recorded(), "");
  shop_.run("create temp table t (x)");
  EXPECT_TRUE(ddl(shop_.db(), "drop table temp.t", {}).has_value());
}

TEST_F(DdlTest, SaysWhichIndexesAndTriggersWentWithTheOldTable) {
  shop_.run(
      "create index by_name on products (name); create index by_price on products (price);"
      "create trigger touch after update on products begin select 1; end;"
      "create view cheap as select * from products where price < 6;"
      "create trigger far after insert on lines begin update products set price = 1 where id = 1; "
      "end");
  EXPECT_EQ(migrate("pragma legacy_alter_table = on;" + std::string(kDjango) +
                    "; create index by_name on products (name); pragma legacy_alter_table = off"),
            "products: rebuilt, goes on as the same tracked table; altered by the copy: 0 updated, "
            "0 deleted,"
            " 0 inserted\n"
            "products: index by_price went with the old table and was not made again\n"
            "products: trigger touch went with the old table and was not made again\n");
  EXPECT_EQ(shop_.rows("select name from cheap"), "ink\n");
  before_ = shop_.last_change();
  shop_.run("insert into lines values (1, 1, 1)");
  EXPECT_EQ(recorded(), "UPDATE {\"id\":1} {\"price\":5} {\"price\":1}\n");
}

class DdlForeignKeysTest : public DdlTest {
 protected:
  DdlForeignKeysTest() {
    shop_.run(
        "create table parts (id integer primary key, product references products (id) on delete "
        "cascade);"
        "insert into parts values (1, 1), (2, 2)");
    shop_.track("parts");
    before_ = shop_.last_change();
  }
};

TEST_F(DdlForeignKeysTest, RestDuringADanceAndAreCheckedAfterIt) {
  shop_.run("pragma foreign_keys = on");
  migrate(kDjango);
  EXPECT_EQ(recorded(), "");
  EXPECT_EQ(shop_.rows("select count(*) from parts"), "2\n");
  EXPECT_EQ(shop_.rows("pragma foreign_keys"), "1\n");
  EXPECT_NE(
      shop_.rows("select sql from sqlite_schema where name = 'parts'").find("references products"),
      std::string::npos);
  const Error error = refused(
      "create table n (id integer primary key, name text);"
      "insert into n select id, name from products where id > 1;"
      "drop table products; alter table n rename to products");
  EXPECT_EQ(error.fault, Fault::denied);
  EXPECT_EQ(error.message, "run ddl: 1 rows would refer to rows that are not there");
  EXPECT_EQ(shop_.rows("pragma foreign_keys"), "1\n");
}

TEST_F(DdlForeignKeysTest, StayOffWhereTheyWereOff) {
  shop_.run("pragma foreign_keys = off");
  migrate(kDjango);
  EXPECT_EQ(shop_.rows("pragma foreign_keys"), "0\n");
}

TEST_F(DdlForeignKeysTest, StayOnWhereNothingIsDropped) {
  shop_.run("pragma foreign_keys = on");
  migrate("alter table products add column x; delete from products where id = 1");
  EXPECT_EQ(recorded().find("DELETE {\"id\":1}"), 0U);
  EXPECT_EQ(shop_.rows("select id from parts"), "2\n");
}

TEST_F(DdlForeignKeysTest, AViolationThatStoodBeforeIsNotTheMigrations) {
  shop_.run("pragma foreign_keys = off; insert into parts values (3, 99)");
  migrate(kDjango);
}

TEST_F(DdlForeignKeysTest, RefusesAParentWithoutTheKeyThatIsReferredTo) {
  const std::string dance =
      "create table n (name text primary key, price); insert into n select name, price from "
      "products;"
      "drop table products; alter table n rename to products";
  const Error error = refused(dance);
  EXPECT_EQ(error.fault, Fault::denied);
  EXPECT_EQ(error.message, "run ddl: foreign keys would not fit the tables that they refer to");
}

TEST_F(DdlForeignKeysTest, ASchemaWhoseForeignKeysNeverFittedMayMigrateAllTheSame) {
  shop_.run("pragma foreign_keys = off; create table stray (x references products (price))");
  migrate(kDjango);
}

}  // namespace
}  // namespace vestige
