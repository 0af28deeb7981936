// DDL that event triggers see at once, and an installation that is run again while writes go on.
#include <array>
#include <atomic>
#include <cstdio>

#include "test/postgres_capture.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

class PostgresOperate : public testing::Test {
 protected:
  void SetUp() override {
    s.run(
        "create table t (id int primary key, x int, secret text); select vestige.track('t', "
        "exclude "
        "=> '{secret}'); insert into t values (1, 1, 's')");
  }
  std::string columns() {
    return s.one(
        "select string_agg(c ->> 'name', ',') from vestige.tracked t join vestige.shape s on s.id "
        "= "
        "t.shape, jsonb_array_elements(s.columns) c where t.id = 1");
  }
  std::string notes() {
    return s.one("select coalesce(string_agg(message, '; '), '') from vestige.note");
  }
  // Everything in the schema, in words, but for what is told apart by the clock.
  // But which script it was, which psql does not know of itself.
  static std::string objects(PgSession& session) {
    return session.one(
        "select string_agg(o, E'\\n' order by o) from (select pg_describe_object(classid, objid, "
        "0) "
        "as o from pg_depend where refclassid = 'pg_namespace'::regclass and refobjid = "
        "'vestige'::regnamespace union all select proname || prosrc || coalesce(proconfig::text, "
        "'') "
        "|| prosecdef || coalesce(proacl::text, '') from pg_proc where pronamespace = "
        "'vestige'::regnamespace union all select relname || coalesce(coalesce(relacl, "
        "acldefault(case relkind when 'S' then 's' else 'r' end::\"char\", relowner))::text, '') "
        "|| "
        "coalesce((select string_agg(attname || format_type(atttypid, atttypmod), ',' order by "
        "attnum) from pg_attribute where attrelid = c.oid and attnum > 0), '') from pg_class c "
        "where "
        "relnamespace = 'vestige'::regnamespace union all select evtname || evtenabled::text from "
        "pg_event_trigger union all select name from vestige.meta where name <> 'script') x");
  }

  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresOperate, DdlIsTakenUpAtOnce) {
  s.run("alter table t add y text; alter table t rename x to z");
  EXPECT_EQ(columns(), "id,z,y");
  s.run("alter table t rename secret to hidden");
  EXPECT_EQ(s.one("select policy ->> 'exclude' from vestige.tracked"), "[\"hidden\"]");
  s.run("create schema other; alter table t set schema other; alter table other.t rename to u");
  EXPECT_EQ(s.one("select schema_name || '.' || table_name from vestige.tracked"), "other.u");
  s.run("alter schema other rename to third; create unique index on third.u (z)");
  EXPECT_EQ(s.one("select schema_name::text from vestige.tracked"), "third");
  s.run("alter table third.u drop column y; update third.u set z = 5, hidden = 'never'");
  EXPECT_EQ(s.one("select note from vestige.shape order by id desc limit 1"), "by ALTER TABLE");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where new_row like '%never%'"), "0");
  EXPECT_EQ(shop.replayed("third.u"), "");
  EXPECT_EQ(notes(), "");
  EXPECT_EQ(s.one("select count(*)::text from vestige.doctor() where severity <> 'note'"), "0");
}

TEST_F(PostgresOperate, TriggersThatWereDroppedOrDisabledAreLeftToDoctor) {
  s.run("drop trigger " + insert_trigger() +
        " on t; alter table t disable trigger user; alter table t add w int");
  EXPECT_EQ(columns(), "id,x,w");
  EXPECT_EQ(s.one("select string_agg(code, ' ') from vestige.doctor() where severity <> 'note'"),
            "gap triggers-disabled triggers-missing");
}

TEST_F(PostgresOperate, APartitionMadeLaterRecordsItsTruncate) {
  s.run(
      "create table m (id int primary key, v text) partition by range (id); select "
      "vestige.track('m'); create table m1 partition of m for values from (0) to (10); create "
      "table "
      "m2 (id int primary key, v text); alter table m attach partition m2 for values from (10) to "
      "(20); insert into m values (1, 'a'), (11, 'b'); truncate m1; truncate m2");
  EXPECT_EQ(shop.replayed("public.m"), "");
  EXPECT_EQ(s.one("select string_agg(op::text || key, ' ' order by id) from vestige.change where "
                  "tracked = 2"),
            "I1 I11 D1 D11");
}

TEST_F(PostgresOperate, DdlOfAnApplicationNeverFailsForTheTrail) {
  const std::string app = shop.role("app");
  s.run("alter table t owner to " + app + "; grant create on schema public to " + app);
  PgSession mine = shop.connect(app);
  mine.run("create table mine (a int); alter table t add y int; drop table mine");
  EXPECT_EQ(columns(), "id,x,y");
  // Something is wrong inside the trail.
  s.run("alter table vestige.shape rename column note to remark");
  EXPECT_EQ(mine.error("alter table t add z int"), "");
  s.run("alter table vestige.shape rename column remark to note");
  EXPECT_NE(notes().find("ALTER TABLE of public.t by " + app + " was not taken up at once"),
            std::string::npos);
  mine.run("update t set z = 1");
  EXPECT_EQ(columns(), "id,x,y,z");
  EXPECT_EQ(shop.replayed("public.t"), "");
  mine.run("drop table t");
  EXPECT_NE(notes().find("table t, which is tracked, was dropped by " + app), std::string::npos);
  EXPECT_EQ(s.error(vestige::sql::postgres::remove), "");
  EXPECT_EQ(mine.error("create table mine (a int); alter table mine add b int"), "");
}

TEST_F(PostgresOperate, ColumnsOfAConditionMayChangeTheirNames) {
  s.run(
      "alter table t add \"Odd \"\"name\" int, add b int; select vestige.track('t', \"when\" => "
      "'NEW.x > 1 or new . \"Odd \"\"name\" > 1 or new.xx is null and ''new.x'' <> '''' ') from "
      "(select 1) d where false; select vestige.track('t', \"when\" => 'NEW.x > 1 or new . "
      "\"Odd \"\"name\" > 1 or ''new.x = it''''s'' = new.secret or OLD.\"b\" > new.x')");
  s.run(
      "begin; alter table t rename x to swap; alter table t rename b to x; alter table t rename "
      "swap to b; alter table t rename \"Odd \"\"name\" to odd; commit");
  EXPECT_EQ(s.one("select policy ->> 'when' from vestige.tracked"),
            "NEW.b > 1 or new.odd > 1 or 'new.x = it''s' = new.secret or OLD.x > new.b");
  s.run("update t set b = 1; update t set b = 2");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where op = 'U'"), "1");
}

TEST_F(PostgresOperate, InstalledAgainWhileWritesGoOn) {
  std::atomic<bool> done{false};
  std::atomic<int> writes{0};
  std::vector<std::string> problems(4);
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k)
    threads.emplace_back([&, k] {
      PgSession mine = shop.connect();
      const std::string id = std::to_string(k + 10);
      for (; !done && problems[k].empty(); ++writes)
        problems[k] = mine.error("begin; insert into t values (" + id +
                                 ", 1); update t set x = x + 1 "
                                 "where id = " +
                                 id + "; delete from t where id = " + id + "; commit");
    });
  PgSession other = shop.connect();
  for (int i = 0; i < 6; ++i) {
    // As an older version: there is something to bring up to date.
    other.run("update vestige.meta set value = '0' where name = 'schema_version'");
    const auto installed = install(other.db());
    EXPECT_TRUE(installed.has_value() && *installed)
        << (installed.has_value() ? "" : installed.error().message);
    const int seen = writes;
    while (writes < seen + 4 && problems[0].empty()) std::this_thread::yield();
  }
  done = true;
  for (auto& thread : threads) thread.join();
  for (const auto& problem : problems) EXPECT_EQ(problem, "");
  EXPECT_EQ(s.one("select value from vestige.meta where name = 'schema_version'"), "1");
  EXPECT_EQ(shop.replayed("public.t"), "");
  EXPECT_EQ(s.one("select count(*)::text from vestige.doctor() where severity <> 'note'"), "0");
}

TEST_F(PostgresOperate, PsqlInstallsWhatInitInstalls) {
  ScratchDatabase by_psql;
  ScratchDatabase by_init;
  PgSession first(by_psql.url());
  PgSession second(by_init.url());
  const std::string command = "psql -qX1 -v ON_ERROR_STOP=1 -f " + std::string(SOURCE_DIR) +
                              "/sql/postgres/install.sql '" + by_psql.url() + "' 2>&1";
  for (int again = 0; again < 2; ++again) {
    std::FILE* pipe = popen(command.c_str(), "re");
    std::string said;
    std::array<char, 256> buffer;
    while (fgets(buffer.data(), buffer.size(), pipe) != nullptr)
      if (std::string(buffer.data()).find("NOTICE") == std::string::npos) said += buffer.data();
    EXPECT_EQ(pclose(pipe), 0);
    EXPECT_EQ(said, "");
  }
  EXPECT_TRUE(*install(second.db()));
  EXPECT_EQ(objects(first), objects(second));
}

}  // namespace
}  // namespace vestige
