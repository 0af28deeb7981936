// at and restore of many rows, chosen by their keys; restore of one column. On both databases.
#include "test/evidence.h"
#include "vestige/audit/erase.h"
#include "vestige/audit/key_filter.h"
#include "vestige/audit/revert.h"

namespace vestige {
namespace {

class RestoreBoth : public testing::TestWithParam<Engine> {
 protected:
  static Filter filter(const std::string& text) { return must(parse_filter(text, Now(0))); }
  static Moment last(Database& db) { return must(find_moment(db, "last", Now(0))); }
  static std::string rows(Database& db, const Moment& moment, const std::string& query) {
    std::string out;
    auto states = must(at(db, "p", moment, filter(query)));
    while (const State row = must(states->next()))
      out += to_display(*find(*row, "id")) + ":" + to_display(*find(*row, "name")) + ":" +
             to_display(*find(*row, "price")) + " ";
    return out;
  }
  static std::string now(Database& db) { return rows(db, Moment{}, ""); }
  static Result<Outcome> put_back(Database& db, const Moment& to, const std::string& query,
                                  const std::optional<std::string>& column = std::nullopt,
                                  const ApplyOptions& options = {}) {
    return restore(db, RestoreRequest{"p", filter(query), to, column}, options);
  }
};

INSTANTIATE_TEST_SUITE_P(Both, RestoreBoth, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(RestoreBoth, ReadsTheRowsThatAFilterOfKeysChooses) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const Moment then = last(db);
  trail.as("ann", "delete from p where id = 2; insert into p values (20, 'y', 1)");
  EXPECT_EQ(rows(db, then, "key:1,3"), "1:x:11 3:x:10 ");
  EXPECT_EQ(rows(db, then, "key.id>=2"), "2:x:10 3:x:10 ");
  EXPECT_EQ(rows(db, Moment{}, "key.id>=2 -key:3"), "20:y:1 ");
  EXPECT_EQ(rows(db, then, "key:*"), "1:x:11 2:x:10 3:x:10 ");
  EXPECT_EQ(rows(db, then, "key:20"), "");
  EXPECT_EQ(error_of(at(db, "p", then, filter("who:ann"))).message,
            "choose rows of p by who:ann: rows are chosen by their keys");
  EXPECT_EQ(error_of(at(db, "p", then, filter("key.price:1"))).message,
            "choose rows of p by key.\"price\":1: price is no column of its key");
}

TEST_P(RestoreBoth, PutsThoseRowsBackAndNoOthers) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const Moment then = last(db);
  trail.as("ann",
           "delete from p where id = 2; insert into p values (20, 'y', 1), (21, 'z', 1);"
           "update p set price = 99");
  trail.as("bob", "update p set price = 98 where id = 1; update p set name = 'n' where id = 3");
  ApplyOptions dry;
  dry.dry_run = true;
  EXPECT_GT(must(put_back(db, then, "key:1,2,20", std::nullopt, dry)).applied, 0);
  EXPECT_EQ(now(db), "1:x:98 3:n:99 20:y:99 21:z:99 ");
  const Outcome outcome = must(put_back(db, then, "key:1,2,20"));
  EXPECT_TRUE(outcome.tx.has_value());
  EXPECT_EQ(now(db), "1:x:11 2:x:10 3:n:99 21:z:99 ");
  Selection done;
  done.tx = outcome.tx;
  EXPECT_EQ(must(must(read_changes(db, done))->next())->context.get("reason")->substr(0, 30),
            "restore of rows of p to change");
  const std::int64_t before = must(resolve(db, last(db)));
  EXPECT_EQ(must(put_back(db, last(db), "key:*")).applied, 0);
  must(put_back(db, then, "key:1,2,20"));
  EXPECT_EQ(must(resolve(db, last(db))), before) << "they are what they were: nothing is recorded";
  must(put_back(db, then, "key:*"));
  EXPECT_EQ(now(db), rows(db, then, ""));
}

TEST_P(RestoreBoth, PutsOneColumnBack) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const Moment then = last(db);
  trail.as("ann", "update p set price = 50, name = 'n'; delete from p where id = 2");
  trail.as("ann",
           "update p set price = 60, id = 4 where id = 3; insert into p values (5, 'new', 5)");
  trail.as("ann", "update p set price = 6 where id = 5; update p set id = 3 where id = 4");
  must(put_back(db, then, "key:*", "price"));
  EXPECT_EQ(now(db), "1:n:11 3:n:10 5:new:6 ");
  trail.as("ann", "update p set price = 51, name = 'm' where id = 1");
  must(restore(db, "p", {"1"}, then, ApplyOptions(), "name"));
  EXPECT_EQ(now(db), "1:x:51 3:n:10 5:new:6 ");
  EXPECT_EQ(must(restore(db, "p", {"2"}, then, ApplyOptions(), "name")).applied, 0)
      << "it was deleted: there is no column to put back";
  EXPECT_EQ(error_of(restore(db, "p", {"1"}, then, ApplyOptions(), "nam")).fault, Fault::missing);
}

TEST_P(RestoreBoth, FollowsARowToOtherKeys) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const Moment then = last(db);
  trail.as("ann",
           "update p set id = 7 where id = 3; update p set price = 1 where id = 7;"
           "insert into p values (8, 'eight', 8)");
  must(put_back(db, then, "key:3"));
  EXPECT_EQ(now(db), "1:x:11 2:x:10 3:x:10 8:eight:8 ");
  // Another row that takes the key later is not the same.
  trail.as("ann",
           "update p set id = 9 where id = 2; delete from p where id = 9;"
           "insert into p values (9, 'other', 9)");
  must(put_back(db, then, "key:2"));
  EXPECT_EQ(now(db), "1:x:11 2:x:10 3:x:10 8:eight:8 9:other:9 ");
}

TEST_P(RestoreBoth, RefusesWhatConflictsUnlessItIsSkipped) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const Moment then = last(db);
  trail.as("ann", "update p set price = 50");
  EraseRequest request;
  request.table = "p";
  request.key = {"2"};
  Context why;
  why.set("reason", "asked");
  must(erase(db, request, why));
  const Error refused = error_of(put_back(db, then, "key:*"));
  EXPECT_EQ(refused.fault, Fault::conflict);
  EXPECT_NE(refused.hint.find("--skip-conflicts"), std::string::npos);
  EXPECT_EQ(now(db), "1:x:50 2:x:50 3:x:50 ");
  ApplyOptions skip;
  skip.on_conflict = OnConflict::skip;
  EXPECT_EQ(must(put_back(db, then, "key:*", std::nullopt, skip)).skipped, 1);
  EXPECT_EQ(now(db), "1:x:11 2:x:50 3:x:10 ");
}

// More changes than a statement of SQLite has room for.
TEST(RestoreMany, PutsAsManyBackAsThereAre) {
  Shop shop;
  shop.run("create table t (id integer primary key, n integer)");
  shop.with_trail().track("t");
  shop.run(
      "with recursive s(i) as (select 1 union all select i + 1 from s where i < 40000)"
      " insert into t select i, 0 from s; update t set n = 1");
  const Outcome outcome = must(restore(
      shop.db(), RestoreRequest{"t", Filter(), Moment{Moment::Kind::change, 40000}, std::nullopt},
      {}));
  EXPECT_EQ(outcome.applied, 40000);
  // As many changes that are named, each for itself.
  RevertRequest named;
  for (std::int64_t id = 40001; id <= 80000; ++id) named.changes.push_back(id);
  ApplyOptions skip;
  skip.on_conflict = OnConflict::skip;
  EXPECT_EQ(must(revert(shop.db(), named, skip)).conflicts.size(), 0U);
  EXPECT_EQ(must(scalar_integer(shop.db(), "select sum(n) from t")), 0);
}

}  // namespace
}  // namespace vestige
