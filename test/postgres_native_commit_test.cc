// What the native engine keeps waiting is written before anybody else's part of a transaction commits: where the trail cannot
// take a change, a row that the transaction put into a table of another server (postgres_fdw) does not stay either
// (docs/decisions/0016). Every way in which a transaction commits.
#include <gtest/gtest.h>

#include "test/postgres_native.h"

namespace vestige {
namespace {

class PostgresNativeCommit : public NativeTable {
 protected:
  void SetUp() override {
    NativeTable::SetUp();
    if (IsSkipped()) return;
    if (s.one("select count(*)::text from pg_available_extensions where name = 'postgres_fdw'") ==
        "0")
      GTEST_SKIP() << "the server has no postgres_fdw";
    far.run("create table r (id int, way text)");
    const std::string host =
        s.one("select split_part(current_setting('unix_socket_directories'), ',', 1)");
    s.run(
        "create extension postgres_fdw; create server far foreign data wrapper postgres_fdw "
        "options (host '" +
        host + "', dbname '" + elsewhere.name() + "', port '" + s.one("show port") +
        "'); create user mapping for public server far options (user '" +
        s.one("select current_user") +
        "'); create foreign table r (id int, way text) server far;"
        // The trail takes one change of each row.
        "create unique index once on " +
        current_part() +
        " (key); create function here() returns int language plpgsql as 'begin update t set v = v "
        "+ 1 where id = 1; return 1; end'; create function there() returns int language plpgsql "
        "as 'begin insert into r values (1); return 1; end'; create function halves() returns int "
        "language plpgsql as 'begin perform here(); perform there(); return 1; end'; create "
        "procedure commits() language plpgsql as 'begin perform halves(); commit; end'; create "
        "table late (id int); create function late() returns trigger language plpgsql as 'begin "
        "perform there(); return null; end'; create constraint trigger late after insert on late "
        "deferrable initially deferred for each row execute function late(); create table later "
        "(id int); create function later() returns trigger language plpgsql as 'begin perform "
        "halves(); return null; end'; create constraint trigger later after insert on later "
        "deferrable initially deferred for each row execute function later(); update t set v = 1 "
        "where id = 1");
  }
  ScratchDatabase elsewhere;
  PgSession far{elsewhere.url()};
};

constexpr const char* kWays[] = {
    "begin; select here(); select there(); commit",
    "begin; select there(); select here(); commit",
    "begin; select halves(); end",
    "begin; select halves(); commit and chain; commit",
    "begin; select here(); savepoint a; select there(); release a; commit",
    "begin; select here(); savepoint a; select 1 / 0; rollback to a; select there(); commit",
    "begin; update t set v = 2 where id = 1; insert into r values (1); commit",
    "begin; update t set v = 2 where id = 1; declare c cursor for select there(); fetch c; commit",
    "begin; update t set v = 2 where id = 1; declare c cursor with hold for select there(); commit",
    "begin; update t set v = 2 where id = 1; prepare p as select there(); execute p; commit",
    "begin; update t set v = 2 where id = 1; create temp table made as select there(); commit",
    "begin; update t set v = 2 where id = 1; copy r (id) from program 'echo 1'; commit",
    "begin; insert into late values (1); select here(); commit",
    "begin; select here(); insert into late values (1); commit",
    "begin; insert into later values (1); commit",
    "begin; insert into later values (1); insert into late values (1); commit",
    "select halves()",
    "select here(); select there()",
    "select here(), there()",
    "update t set v = 2 where id = 1; insert into r values (1)",
    "with u as (update t set v = 2 where id = 1 returning id) insert into r select id from u",
    "insert into later values (1)",
    "do $$ begin perform halves(); end $$",
    "do $$ begin perform halves(); commit; end $$",
    "call commits()",
};

TEST_F(PostgresNativeCommit, NeitherHalfStands) {
  for (const char* way : kWays) {
    for (const bool met : {false, true}) {
      SCOPED_TRACE(std::string(way) + (met ? ", the other server was met before" : ""));
      PgSession own = shop.connect();
      if (met) own.run("begin; select count(*) from r; update t set v = 1 where id = 2; rollback");
      std::string said;
      // A statement at a time where that is how the way goes on after an error.
      if (std::string(way).find("1 / 0") != std::string::npos) {
        own.run("begin; select here(); savepoint a");
        EXPECT_NE(own.error("select 1 / 0"), "");
        said = own.error("rollback to a; select there(); commit");
      } else {
        said = own.error(way);
      }
      EXPECT_NE(said.find("duplicate key"), std::string::npos) << said;
      EXPECT_EQ(far.one("select count(*)::text from r"), "0");
      EXPECT_EQ(s.one("select v::text from t where id = 1"), "1");
    }
  }
  // Several statements in one message, of which none is the last to anybody.
  for (const char* way : {"select here(); select there()", "select there(); select here()",
                          "update t set v = 2 where id = 1; insert into r values (1); select 1"}) {
    SCOPED_TRACE(way);
    EXPECT_NE(shell("psql -qXc '" + std::string(way) + "' '" + shop.database.url() + "'")
                  .find("duplicate key"),
              std::string::npos);
    EXPECT_EQ(far.one("select count(*)::text from r"), "0");
  }
  // And both where the trail takes it.
  s.run("drop index vestige.once");
  int rows = 0;
  for (const char* way : kWays) {
    if (std::string(way).find("1 / 0") != std::string::npos) continue;
    PgSession own = shop.connect();
    ASSERT_EQ(own.error(way), "") << way;
    EXPECT_GT(std::stoi(far.one("select count(*)::text from r")), rows) << way;
    rows = std::stoi(far.one("select count(*)::text from r"));
  }
}

}  // namespace
}  // namespace vestige
