// Context set with plain SQL and by scope, required context, and that the trail's history is append-only.
#include <gtest/gtest.h>

#include "test/capture_replay.h"
#include "vestige/trail/context.h"

namespace vestige {
namespace {

class CaptureContext : public testing::Test {
 protected:
  void make(const Policy& policy = {}) {
    shop_.run(
        "create table goods (id integer primary key, name); insert into goods values (1, 'ink'), "
        "(2, 'pen')");
    shop_.with_trail();
    shop_.track("goods", policy);
    client_ = shop_.connect();
  }
  void client(const std::string& sql) { must(client_->script(sql)); }
  std::string actors() {
    return shop_.rows(
        "select c.id, x.actor from vestige_change as c left join vestige_context as x on x.id = "
        "c.context order by c.id");
  }

  Shop shop_;
  std::unique_ptr<Sqlite> client_;
};

TEST_F(CaptureContext, AppliesFromPlainSqlUntilItIsCleared) {
  make();
  client(
      "begin; insert into vestige_session (actor, reason, extra) values ('ann', 'sale', "
      "'{\"ticket\":7}');"
      "update goods set name = 'a' where id = 1; update goods set name = 'b' where id = 2;"
      "delete from vestige_session; update goods set name = 'c' where id = 1; commit");
  EXPECT_EQ(actors(), "1|ann\n2|ann\n3|null\n");
  EXPECT_EQ(shop_.rows("select count(distinct tx) from vestige_change where id < 3"), "1\n");
  Selection all;
  all.oldest_first = true;
  auto changes = must(read_changes(shop_.db(), all));
  EXPECT_EQ(to_json(must(changes->next())->context),
            "{\"actor\":\"ann\",\"reason\":\"sale\",\"ticket\":\"7\"}");
}

TEST_F(CaptureContext, ShowsWhatIsInForce) {
  make();
  client("insert into vestige_session (actor, seconds) values ('ann', 600)");
  EXPECT_EQ(shop_.rows("select actor, seconds between 590 and 600 from vestige_session"),
            "ann|1\n");
  client("insert into vestige_session (actor) values ('bob')");
  EXPECT_EQ(shop_.rows("select actor, seconds between 50 and 60 from vestige_session"), "bob|1\n");
  client("delete from vestige_session");
  EXPECT_EQ(shop_.rows("select count(*) from vestige_session"), "0\n");
}

TEST_F(CaptureContext, Expires) {
  make();
  client(
      "insert into vestige_session (actor, seconds) values ('ann', 0); update goods set name = 'a' "
      "where id = 1");
  client(
      "insert into vestige_session (actor, seconds) values ('ann', -5); update goods set name = "
      "'b' where id = 1");
  client(
      "insert into vestige_session (actor) values ('ann'); update vestige_current set expires = 1; "
      "update goods set name = 'c' where id = 1");
  EXPECT_EQ(actors(), "1|null\n2|null\n3|null\n");
}

TEST_F(CaptureContext, IsNotGivenToAConnectionThatHasWrittenLess) {
  make();
  client("insert into vestige_session (actor) values ('ann')");
  must(shop_.connect()->script("update goods set name = 'x' where id = 1"));
  client("update goods set name = 'y' where id = 1");
  EXPECT_EQ(actors(), "1|null\n2|ann\n");
}

TEST_F(CaptureContext, RollsBackWithItsTransaction) {
  make();
  client(
      "begin; insert into vestige_session (actor) values ('ann'); rollback; update goods set name "
      "= 'x' where id = 1");
  EXPECT_EQ(actors(), "1|null\n");
}

TEST_F(CaptureContext, SeparatesTransactionsThatHaveOne) {
  make();
  for (int i = 0; i < 5; ++i)
    client(fmt::format(
        "begin; insert into vestige_session (actor) values ('ann'); update goods set name = {}; "
        "insert into goods (name) values (1); delete from vestige_session; commit",
        i));
  EXPECT_EQ(shop_.rows("select count(distinct tx), count(distinct context) from vestige_change"),
            "5|5\n");
}

TEST_F(CaptureContext, IsExactInAScope) {
  make();
  Context context;
  context.set("actor", "ann");
  context.set("x-y", "z");
  for (int i = 0; i < 3; ++i) {
    auto scope = must(ContextScope::begin(shop_.db(), context));
    must(shop_.db().run("update goods set name = ?1 where id = 1", {std::int64_t{i}}));
    context.set("actor", "bob");
    must(scope.change(context));
    must(shop_.db().run("update goods set name = ?1 where id = 2", {std::int64_t{i}}));
    context.set("actor", "ann");
    must(scope.commit());
    client(fmt::format("update goods set name = -{} where id = 1", i + 5));
  }
  {
    auto dropped = must(ContextScope::begin(shop_.db(), context));
    must(shop_.db().run("delete from goods"));
  }
  EXPECT_EQ(actors(), "1|ann\n2|bob\n3|null\n4|ann\n5|bob\n6|null\n7|ann\n8|bob\n9|null\n");
  EXPECT_EQ(shop_.rows("select group_concat(distinct tx) from vestige_change"), "1,3,4,6,7,9\n");
}

TEST_F(CaptureContext, IsRequired) {
  make(requiring({"actor", "ticket"}));
  for (const char* sql :
       {"insert into goods values (3, 'nib')", "update goods set name = 'x' where id = 1",
        "delete from goods where id = 1", "replace into goods values (1, 'nib')"}) {
    const Error error = error_of(client_->run(sql));
    EXPECT_EQ(error.fault, Fault::denied) << sql;
    EXPECT_NE(error.message.find("vestige: goods requires actor in the context of every change"),
              std::string::npos)
        << error.message;
  }
  client("begin; insert into vestige_session (actor) values ('ann')");
  EXPECT_NE(error_of(client_->run("delete from goods where id = 1"))
                .message.find("goods requires ticket in the context"),
            std::string::npos);
  client("insert into vestige_session (actor, extra) values ('ann', '{\"ticket\":\"\"}')");
  EXPECT_NE(error_of(client_->run("delete from goods where id = 1"))
                .message.find("goods requires ticket"),
            std::string::npos);
  EXPECT_EQ(shop_.rows("select count(*) from vestige_change"), "0\n");
  EXPECT_EQ(shop_.rows("select * from goods"), "1|ink\n2|pen\n");
  client(
      "insert into vestige_session (actor, extra) values ('ann', '{\"ticket\":\"T1\"}'); delete "
      "from goods where id = 1; delete from vestige_session; commit");
  EXPECT_EQ(actors(), "1|ann\n");
  client("update goods set name = name");  // nothing to record
}

TEST_F(CaptureContext, IsRequiredOfWhatIsRecordedOnly) {
  Policy policy = requiring({"actor"});
  policy.when = "NEW.name = 'nib' or OLD.name = 'nib'";
  make(policy);
  client(
      "insert into goods values (3, 'cap'); update goods set name = 'top' where id = 3; delete "
      "from "
      "goods where id = 3");
  for (const char* sql : {"insert into goods values (3, 'nib')", "update goods set name = 'nib'",
                          "replace into goods values (1, 'cap')"})
    EXPECT_NE(error_of(client_->run(sql)).message.find("goods requires actor"), std::string::npos)
        << sql;
  client(
      "begin; insert into vestige_session (actor) values ('ann'); insert into goods values (3, "
      "'nib'); delete from vestige_session; commit");
  EXPECT_NE(error_of(client_->run("delete from goods where id = 3")).message.find("requires actor"),
            std::string::npos);
  EXPECT_EQ(actors(), "1|ann\n");
}

TEST_F(CaptureContext, RequiresFieldsThatHaveANameOnly) {
  shop_.run("create table goods (id integer primary key)");
  shop_.with_trail();
  const Error error = error_of(track(shop_.db(), "goods", requiring({"act'or"})));
  EXPECT_EQ(error.fault, Fault::invalid);
  EXPECT_EQ(error.message, "track goods: require 'act'or' is not a field name");
}

TEST_F(CaptureContext, HistoryIsAppendOnly) {
  make(requiring({}));
  client("insert into vestige_session (actor) values ('ann'); update goods set name = 'x'");
  client("insert into vestige_more (change, part) values (1, 9)");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"update vestige_change set at = 0",
       "vestige: vestige_change is append-only: update refused"},
      {"delete from vestige_change", "vestige: vestige_change is append-only: delete refused"},
      {"update vestige_more set part = 0", "vestige: vestige_more is append-only: update refused"},
      {"delete from vestige_more", "vestige: vestige_more is append-only: delete refused"},
      {"update vestige_context set actor = 'bob'",
       "vestige: vestige_context is append-only: update refused"},
      {"delete from vestige_context", "vestige: vestige_context is append-only: delete refused"},
      {"update vestige_shape set name = 'x'",
       "vestige: vestige_shape is append-only: update refused"},
      {"delete from vestige_shape", "vestige: vestige_shape is append-only: delete refused"},
      {"replace into vestige_change (id, at) values (1, 0)",
       "vestige: vestige_change is append-only: replace refused"},
      {"insert or replace into vestige_change select * from vestige_change order by id desc limit "
       "1",
       "vestige: vestige_change is append-only: replace refused"},
      {"replace into vestige_more (rowid, part) values (1, 0)",
       "vestige: vestige_more is append-only: replace refused"},
      {"replace into vestige_context (id, at) values (1, 0)",
       "vestige: vestige_context is append-only: replace refused"},
      {"replace into vestige_shape (id, tbl, name, columns, full_capture, row_ids, at, since) "
       "values "
       "(1, 1, 'x', '[]', 0, 0, 0, 0)",
       "vestige: vestige_shape is append-only: replace refused"},
  };
  const std::string before =
      shop_.rows("select * from vestige_change") + shop_.rows("select * from vestige_context");
  for (const auto& [sql, message] : cases) {
    const Error error = error_of(client_->run(sql));
    EXPECT_EQ(error.fault, Fault::denied) << sql;
    EXPECT_NE(error.message.find(message), std::string::npos) << error.message;
  }
  EXPECT_EQ(
      shop_.rows("select * from vestige_change") + shop_.rows("select * from vestige_context"),
      before);
}

}  // namespace
}  // namespace vestige
