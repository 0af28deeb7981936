// What the SQL of the trail refuses, and in which words.
#include "test/postgres_capture.h"

namespace vestige {
namespace {

class PostgresRefusals : public testing::Test {
 protected:
  PostgresRefusals() {
    s.run("create table t (id int primary key, x int); select vestige.track('t')");
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresRefusals, OfTracking) {
  EXPECT_EQ(s.error("select vestige.set_policy(999999, '{}')"),
            "run sql: track: no table has oid 999999");
  EXPECT_EQ(s.error("select vestige.track('t', on_truncate => 'maybe')"),
            "run sql: track public.t: on_truncate is maybe");
  EXPECT_EQ(s.error("select vestige.untrack_id(77)"), "run sql: untrack: no table 77 is tracked");
  EXPECT_EQ(s.error("select vestige.set_context('[1]')"),
            "run sql: set_context: [1] is not an object");
  EXPECT_EQ(s.one("select count(*)::text from vestige.tracked"), "1");
}

TEST_F(PostgresRefusals, OfMakingRowsByFunctionsOfOthers) {
  const std::string maker = shop.role("maker");
  s.run("grant create on schema public to " + maker + "; set role " + maker +
        "; create function fine(int) returns boolean language sql as 'select true'; "
        "create domain small as int check (fine(value)); create domain plain as int check (value > "
        "0); reset role; create table d (id int primary key, x plain); select vestige.track('d'); "
        "insert into d values (1, 1)");
  const std::string first = s.one("select min(id)::text from vestige.change");
  EXPECT_EQ(s.one("select x::text from vestige.as_of_change(null::d, " + first + ")"), "1");
  s.run("alter table d alter x type small; alter table d owner to " + maker);
  EXPECT_EQ(s.error("select * from vestige.as_of_change(null::d, " + first + ")"),
            "run sql: as_of_change: a value of column x is made by functions that belong to type "
            "public.small");
}

TEST_F(PostgresRefusals, OfRewritingHistory) {
  s.run("insert into t values (1, 1)");
  for (const char* table : {"change", "context", "shape", "moved"})
    EXPECT_EQ(s.error(std::string("truncate vestige.") + table),
              std::string("run sql: vestige: TRUNCATE of vestige.") + table +
                  " is refused: history is append-only");
  EXPECT_NE(s.error("delete from vestige.change").find(" is refused: history is append-only"),
            std::string::npos);  // it names the partition
  EXPECT_EQ(s.error("update vestige.context set db_user = 'nobody'"),
            "run sql: vestige: UPDATE of vestige.context is refused: history is append-only");
}

TEST_F(PostgresRefusals, OfUndoing) {
  EXPECT_EQ(s.error("select vestige.undo(12345)"), "run sql: undo: there is no change 12345");
  s.run("insert into t values (1, 1)");
  s.run(
      "create function keep() returns trigger language plpgsql as 'begin return null; end'; "
      "create trigger keep before delete on t for each row execute function keep()");
  const std::string id = s.one("select max(id)::text from vestige.change");
  EXPECT_EQ(s.error("select vestige.undo(" + id + ")"),
            "run sql: revert: 1 changes of public.t were not undone");
  s.run("drop table t");
  EXPECT_EQ(s.error("select vestige.undo(" + id + ")"),
            "run sql: undo changes of public.t: the table is gone");
}

TEST(PostgresInstall, WantsATransactionToPinItsNamesIn) {
  PgShop shop;
  EXPECT_EQ(shop.admin.error(vestige::sql::postgres::install),
            "run sql: the trail is installed in one transaction, and there is none");
  EXPECT_EQ(shop.admin.error(vestige::sql::postgres::native),
            "run sql: the native engine is installed in one transaction, and there is none");
}

TEST(PostgresInstall, RefusesANewerTrailAndASchemaOfSomebodyElse) {
  const std::string script(vestige::sql::postgres::install);
  PgShop shop;
  shop.admin.run("update vestige.meta set value = '99' where name = 'schema_version'");
  const std::string refused = shop.admin.error("begin; " + script);
  EXPECT_NE(refused.find("the trail has version 99, this script knows version 1"),
            std::string::npos)
      << refused;
  ScratchDatabase other;
  PgSession s(other.url());
  s.run("create schema vestige; create table vestige.mine (a int)");
  EXPECT_EQ(s.error("begin; " + script),
            "run sql: schema vestige has objects that are not a trail");
}

// What an extension owns cannot be dropped: init of a trail that is one would fail.
TEST(PostgresInstall, DropsNoFunctionThatItMakes) {
  PgShop shop;
  const std::string_view script = vestige::sql::postgres::install;
  constexpr std::string_view kDrop = "\ndrop function if exists ";
  int dropped = 0;
  for (std::size_t at = 0; (at = script.find(kDrop, at)) != std::string_view::npos; ++dropped) {
    at += kDrop.size();
    const std::string signature(script.substr(at, script.find(';', at) - at));
    EXPECT_EQ(shop.admin.one("select coalesce(to_regprocedure('" + signature + "')::text, '')"), "")
        << signature;
  }
  EXPECT_GT(dropped, 10);
}

}  // namespace
}  // namespace vestige
