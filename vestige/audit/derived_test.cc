// Undoing keeps full-text and R*Tree indexes right: only what the application's triggers write there runs.
#include "vestige/trail/sqlite/derived.h"

#include "test/tracked_shop.h"
#include "vestige/audit/exec.h"
#include "vestige/audit/revert.h"

namespace vestige {
namespace {

constexpr std::string_view kShop =
    "create table d (id integer primary key, t text, \"x y\" real, z real); create table log "
    "(what);"
    "create virtual table f using fts5 (t, content = d, content_rowid = id);"
    "create virtual table r using rtree (id, least, most);"
    "create trigger d_i after insert on d begin insert into log values ('i'); insert into f "
    "(rowid, "
    "t) values (new.id, new.t); replace into r values (new.id, new.\"x y\", new.z); end;"
    "create trigger \"d d\" AFTER delete ON \"d\" when old.id > 0 begin insert into f (f, rowid, "
    "t) "
    "values ('delete', old.id, old.t); delete from r where id = old.id; end;"
    "create trigger d_u after update of t, \"x y\", z on d for each row begin select case when 1 "
    "then "
    "';' end; insert into f (f, rowid, t) values ('delete', old.id, old.t); insert into f (rowid, "
    "t) "
    "values (new.id, new.t); update or ignore r set least = new.\"x y\", most = new.z where id = "
    "new.id; update log set what = 'u'; end;"
    "insert into d values (1, 'apple', 1, 2), (2, 'pear', 3, 4); insert into log values ('kept')";

std::string indexes(Shop& shop) {
  shop.run("insert into f (f, rank) values ('integrity-check', 1)");
  return shop.rows("select rowid, t from f where f match 'apple or pear or plum' order by rowid") +
         shop.rows("select * from r order by id");
}

TEST(Derived, AnIndexFollowsWhatIsUndone) {
  for (const char* work :
       {"update d set t = 'plum', z = 9", "delete from d where id = 1",
        "insert into d values (3, 'plum', 1, 1); update d set id = 9 where id = 2; delete from d "
        "where id = 1",
        "update d set t = 'plum'; update d set t = 'apple' where id = 2"}) {
    Shop shop;
    shop.run(kShop);
    shop.with_trail().track("d");
    const std::string before = indexes(shop);
    must(exec(shop.db(), work, {}, nullptr));
    RevertRequest request;
    request.tx = must(scalar_integer(shop.db(), "select max(tx) from vestige_change"));
    shop.run("update log set what = 'kept'");
    const Outcome done = must(revert(shop.db(), request, {}));
    EXPECT_EQ(indexes(shop), before) << work;
    EXPECT_EQ(shop.rows("select distinct what from log"), "kept\n");
    EXPECT_EQ(done.notes, (std::vector<std::string>{
                              "d: f was kept with the rows, by its triggers",
                              "d: r was kept with the rows, by its triggers",
                              "d: its triggers did not run: log, which is not tracked, is left as "
                              "it is"}));
    EXPECT_EQ(shop.rows("select count(*) from temp.sqlite_schema where name like 'vestige_keep%'"),
              "0\n");
    must(restore(shop.db(), "d", {"1"}, Moment{Moment::Kind::change, 1}, {}));
    (void)indexes(shop);
  }
}

TEST(Derived, ATableThatIsTrackedIsUndoneForItself) {
  Shop shop;
  shop.run(
      "create table a (id integer primary key); create table b (id integer primary key); create "
      "trigger t after insert on a begin insert into b values (new.id); end");
  shop.with_trail();
  shop.track("a");
  shop.track("b");
  const sqlite::Derived found = must(sqlite::derived(shop.db(), "A", {"a", "B"}));
  EXPECT_TRUE(found.kept.empty());
  EXPECT_TRUE(found.notes.empty());
}

}  // namespace
}  // namespace vestige
