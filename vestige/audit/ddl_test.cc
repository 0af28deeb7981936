#include "vestige/audit/ddl.h"

#include "test/migrating_shop.h"

namespace vestige {
namespace {

TEST_F(DdlTest, AddsAColumnAndRecordsIt) {
  EXPECT_EQ(
      migrate("alter table products add column size integer default 1; update products set size = 2"
              " where id = 1"),
      "products: column size added\n");
  EXPECT_EQ(recorded(), "UPDATE {\"id\":1} {\"size\":1} {\"size\":2}\n");
}

TEST_F(DdlTest, ARenamedColumnKeepsItsHistory) {
  EXPECT_EQ(migrate("alter table products rename column price to amount;"
                    "alter table products rename amount to cents; update products set cents = 500 "
                    "where id = 1"),
            "products: column price renamed to amount\nproducts: column amount renamed to cents\n");
  EXPECT_EQ(recorded(), "UPDATE {\"id\":1} {\"cents\":5} {\"cents\":500}\n");
  EXPECT_EQ(
      shop_.rows("select count(distinct json_extract(columns, '$[2].id')) from vestige_shape"),
      "1\n");
}

TEST_F(DdlTest, DropsAColumnAndKeepsItsHistory) {
  EXPECT_EQ(migrate("alter table products drop column price"),
            "products: column price dropped, its history stays\n");
  EXPECT_EQ(recorded(), "");
  EXPECT_NE(shop_.changes().find("\"price\":5"), std::string::npos);
}

TEST_F(DdlTest, AColumnThatIsDroppedAndAddedAgainIsAnotherOne) {
  migrate("alter table products drop column price; alter table products add column price");
  EXPECT_EQ(shop_.rows("select count(distinct json_extract(columns, '$[2].id')) from vestige_shape"
                       " where json_array_length(columns) = 3"),
            "2\n");
}

TEST_F(DdlTest, ARenamedTableStaysTracked) {
  EXPECT_EQ(migrate("alter table products rename to goods; delete from goods where id = 1"),
            "products: renamed to goods\n");
  EXPECT_EQ(recorded(), "DELETE {\"id\":1} {\"id\":1,\"name\":\"ink\",\"price\":5}\n");
  EXPECT_EQ(must(tracked_table(shop_.db(), "goods")).id, 1);
}

TEST_F(DdlTest, TwoTablesMaySwapTheirNames) {
  shop_.track("lines");
  EXPECT_EQ(migrate("alter table products rename to t; alter table lines rename to products;"
                    "alter table t rename to lines"),
            "products: renamed to t\nlines: renamed to products\nt: renamed to lines\n");
  EXPECT_EQ(must(tracked_table(shop_.db(), "lines")).id, 1);
  EXPECT_EQ(must(tracked_table(shop_.db(), "products")).id, 2);
}

TEST_F(DdlTest, FollowsTheConditionThroughARename) {
  shop_.track("products", with_condition("NEW.price > 100 or old.[price] > 100"));
  migrate(
      "alter table products rename column price to amount; update products set amount = 200 where "
      "id = 1;"
      "update products set amount = 8 where id = 2");
  EXPECT_EQ(recorded(), "UPDATE {\"id\":1} {\"amount\":5} {\"amount\":200}\n");
  EXPECT_EQ(must(tracked_table(shop_.db(), "products")).policy.when,
            "NEW.\"amount\" > 100 or old.\"amount\" > 100");
}

TEST_F(DdlTest, AnExcludedColumnStaysExcludedUnderItsNewName) {
  shop_.track("products", excluding({"name"}));
  migrate(
      "alter table products rename column name to title; update products set title = 'x', price = 1"
      " where id = 1");
  EXPECT_EQ(recorded(), "UPDATE {\"id\":1} {\"price\":5} {\"price\":1}\n");
}

TEST_F(DdlTest, SaysThatAnExcludedColumnIsGone) {
  shop_.track("products", excluding({"name"}));
  EXPECT_EQ(
      migrate("alter table products drop column name"),
      "products: excluded column name is gone; new columns are recorded unless you exclude them\n"
      "products: column name dropped, its history stays\n");
}

TEST_F(DdlTest, RefusesToDropAColumnThatTheConditionNeeds) {
  shop_.track("products", with_condition("NEW.price > 100"));
  const Error error = refused("alter table products drop column price");
  EXPECT_TRUE(error.message.starts_with("run ddl: track products as it is now: ")) << error.message;
  EXPECT_EQ(error.hint,
            "its policy may name what is gone: vestige track products with another one first");
}

TEST_F(DdlTest, FitsCaptureToUniqueIndexesThatComeAndGo) {
  EXPECT_EQ(migrate("create unique index by_name on products (name)"),
            "products: capture fitted to its new constraints\n");
  before_ = shop_.last_change();
  shop_.run("replace into products values (4, 'ink', 6)");
  EXPECT_EQ(recorded(),
            "DELETE {\"id\":1} {\"id\":1,\"name\":\"ink\",\"price\":5}\n"
            "INSERT {\"id\":4} {\"id\":4,\"name\":\"ink\",\"price\":6}\n");
  EXPECT_EQ(migrate("drop index by_name"), "products: capture fitted to its new constraints\n");
}

TEST_F(DdlTest, SaysWhatIsNewAndNotTracked) {
  EXPECT_EQ(migrate("create table suppliers (id integer primary key)"),
            "suppliers: new, not tracked\n");
}

TEST_F(DdlTest, RunsUnderItsContext) {
  Context context;
  context.set("actor", "deploy");
  migrate(
      "update products set price = 6 where id = 1; alter table products add column x;"
      "update products set x = 1 where id = 1",
      context);
  EXPECT_EQ(shop_.rows("select count(distinct tx), min(actor), max(actor) from vestige_change as v"
                       " left join vestige_context as c on c.id = v.context where v.id > 3"),
            "1|deploy|deploy\n");
}

TEST_F(DdlTest, NothingHappensWhenOneStatementFails) {
  const Error error =
      refused(std::string(kDjango) + "; update products set price = 8; select nonsense");
  EXPECT_EQ(error.fault, Fault::invalid);
  before_ = shop_.last_change();
  shop_.run("update products set price = 6 where id = 1");
  EXPECT_EQ(recorded(), "UPDATE {\"id\":1} {\"price\":5} {\"price\":6}\n");
}

TEST_F(DdlTest, RefusesToLeaveItsTransaction) {
  for (const char* verb : {"begin", "commit", "end", "rollback", "savepoint x", "release x",
                           "attach 'x' as y", "detach y", "vacuum"}) {
    const Error error = refused(std::string("create table x (y);\n-- so far\n") + verb);
    EXPECT_EQ(error.fault, Fault::invalid) << verb;
    const std::string_view word =
        std::string_view(verb).substr(0, std::string_view(verb).find(' '));
    EXPECT_EQ(error.message,
              fmt::format("run ddl: {} is refused, a migration is one transaction", word));
    EXPECT_EQ(error.hint, "leave it out: vestige ddl begins and commits by itself");
  }
}

TEST_F(DdlTest, TakesTheBeginAndTheCommitOfAScriptForItsOwn) {
  EXPECT_EQ(migrate("-- 0002\n/* begin */ BEGIN;\nalter table products add stock; --\n commit"),
            "products: column stock added\n");
  EXPECT_EQ(refused("/* one */begin; create table x (y); end; -- two\n drop table x").message,
            "run ddl: drop stands after the commit");
  EXPECT_EQ(refused("begin/**/; create table x (y)").message, "run ddl: the begin has no commit");
}

TEST_F(DdlTest, RefusesToTouchTheTrail) {
  for (const char* sql :
       {"drop table vestige_change", "alter table main.[vestige_change] rename to x",
        "drop trigger if exists Vestige_change_no_delete", "drop index `vestige_more_change`",
        "drop view \"vestige_session\""}) {
    const Error error = refused(sql);
    EXPECT_EQ(error.fault, Fault::denied) << sql;
    EXPECT_TRUE(error.message.ends_with("belongs to the trail")) << error.message;
  }
  EXPECT_EQ(refused("delete from vestige_change").fault, Fault::denied);
}

TEST_F(DdlTest, WantsTheTrailInOrderFirst) {
  shop_.run("drop trigger vestige_1_insert");
  const Error error = refused("create table x (y)");
  EXPECT_EQ(error.fault, Fault::conflict);
  EXPECT_EQ(error.message, "run ddl: products is out of order already: triggers missing");
  EXPECT_EQ(error.hint, "vestige doctor --fix first");
}

TEST_F(DdlTest, WantsSomethingToRun) {
  EXPECT_EQ(refused(" -- nothing\n;").message, "run ddl: nothing to run");
  Shop bare;
  EXPECT_EQ(error_of(ddl(bare.db(), "create table x (y)", {})).fault, Fault::missing);
}

TEST_F(DdlTest, RefusesATransactionThatIsUnderWay) {
  shop_.run("begin");
  EXPECT_FALSE(ddl(shop_.db(), "create table x (y)", {}).has_value());
  shop_.run("rollback");
}

}  // namespace
}  // namespace vestige
