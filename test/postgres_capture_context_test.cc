// Who and why: the context of a change, and who may touch the trail.
#include "test/postgres_capture.h"

namespace vestige {
namespace {

class PostgresCaptureContext : public testing::Test {
 protected:
  void SetUp() override {
    s.run("create table t (id int primary key, x int); select vestige.track('t')");
  }
  std::string actors() {
    return s.one(
        "select string_agg(coalesce(vestige.given_fields(x.fields) ->> 'actor', '-'), ' ' order by "
        "c.id) from "
        "vestige.change c "
        "left join vestige.context x on x.id = c.context and x.xid = c.xid");
  }

  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresCaptureContext, EndsWithItsTransaction) {
  s.run(
      "begin; select vestige.set_context('{\"actor\": \"ann\"}'); insert into t values (1); "
      "commit; insert into t values (2)");
  s.run(
      "begin; select set_config('vestige.context', '{\"actor\": \"bob\"}', true); insert into t "
      "values (3); rollback; "
      "insert into t values (4)");
  EXPECT_EQ(actors(), "ann - -");
  EXPECT_EQ(s.one("select count(distinct tx)::text from vestige.context"), "3");
}

TEST_F(PostgresCaptureContext, ChangesInsideATransaction) {
  s.run(
      "begin; insert into t values (1); select vestige.set_context('{\"actor\": \"a\"}'); insert "
      "into t values (2), (3); savepoint s; "
      "select vestige.set_context('{\"actor\": \"b\"}'); insert into t values (4); rollback to s; "
      "insert into t values (5); "
      "savepoint s2; select vestige.set_context('{\"actor\": \"c\"}'); insert into t values (6); "
      "release s2; insert into t values (7); "
      "select vestige.set_context(null); insert into t values (8); commit");
  EXPECT_EQ(actors(), "- a a a c c -");
  EXPECT_EQ(s.one("select count(distinct tx)::text from vestige.context"), "1");
  EXPECT_EQ(s.one("select (min(tx) = (select min(id) - " + first_left_free() +
                  " from vestige.change))::text from vestige.context"),
            "true");
}

TEST_F(PostgresCaptureContext, FirstWrittenInsideASavepointThatIsRolledBack) {
  s.run(
      "begin; select vestige.set_context('{\"actor\": \"a\"}'); savepoint s; insert into t values "
      "(1); rollback to s; "
      "insert into t values (2); commit");
  EXPECT_EQ(actors(), "a");
}

TEST_F(PostgresCaptureContext, WhatIsNoObjectIsKeptAsItIs) {
  for (const char* text :
       {"nonsense", "[1]", "\"x\"", "7", "null", "{\"a\": \"\\u0000\"}", "{\"a\": ", "{}"})
    s.run("begin; select set_config('vestige.context', $$" + std::string(text) +
          "$$, true); insert into t values ((select count(*) from t)); commit");
  EXPECT_EQ(s.one("select count(*) filter (where vestige.given_fields(fields) ->> 'not_json' is "
                  "not null) || ' ' || "
                  "count(*) from vestige.context"),
            "7 8");
  EXPECT_NE(s.error("select vestige.set_context('[1]')"), "");
}

TEST_F(PostgresCaptureContext, RequiredFieldsNameTheTableAndTheField) {
  s.run("select vestige.track('t', require => '{actor,reason}')");
  EXPECT_EQ(s.error("insert into t values (1)"),
            "run sql: vestige: a change of public.t needs a context with actor");
  EXPECT_EQ(s.error("begin; select vestige.set_context('{\"actor\": \"a\", \"reason\": \"\"}'); "
                    "insert into t values (1)"),
            "run sql: vestige: a change of public.t needs a context with reason");
  s.run(
      "rollback; do $$ begin begin insert into t values (1); exception when sqlstate 'VS001' then "
      "null; end; end $$");
  EXPECT_NE(s.error("truncate t"), "");
  s.run("alter table t add y int");
  EXPECT_EQ(s.error("insert into t values (1)"),
            "run sql: vestige: a change of public.t needs a context with actor");
  s.run(
      "begin; select vestige.set_context('{\"actor\": \"a\", \"reason\": \"r\"}'); insert into t "
      "values (1); commit");
  EXPECT_EQ(actors(), "a");
}

TEST_F(PostgresCaptureContext, SaysWhoIsReallyThere) {
  const std::string app = shop.role("app"), group = shop.role("group");
  s.run("grant all on t to " + app + "; grant " + group + " to " + app + "; grant all on t to " +
        group);
  PgSession a = shop.connect(app);
  a.run("set application_name = 'till 4'; set role " + group + "; insert into t values (1)");
  EXPECT_EQ(
      s.one("select db_user || ' ' || db_role || ' ' || application_name from vestige.context"),
      app + " " + group + " till 4");
}

TEST_F(PostgresCaptureContext, ARoleWithoutPrivilegesWritesTablesButNotTheTrail) {
  const std::string app = shop.role("app");
  s.run("grant select, insert, update, delete, truncate on t to " + app + "; create schema " + app +
        " authorization " + app);
  PgSession a = shop.connect(app);
  a.run(
      "begin; select vestige.set_context('{\"actor\": \"a\"}'); insert into t values (1, 1); "
      "update t set x = 2; commit; "
      "truncate t; insert into t values (2, 2)");
  EXPECT_EQ(shop.replayed("public.t"), "");
  s.run("alter table t add y text");
  a.run("update t set y = 'z'; delete from t");
  EXPECT_EQ(shop.replayed("public.t"), "");
  for (const auto& row : s.table("select format('%I.%I', n.nspname, relname), relkind::text from "
                                 "pg_class c join pg_namespace n on n.oid = relnamespace "
                                 "where nspname = 'vestige' and relkind in ('r', 'p', 'v', 'S')")) {
    EXPECT_NE(a.error("select * from " + *row[0]).find("permission denied"), std::string::npos)
        << *row[0];
    if (row[1] == "S" || row[1] == "v") continue;
    for (const std::string sql :
         {"delete from ", "truncate ", "drop table ", "alter table ", "insert into "})
      EXPECT_NE(a.error(sql + *row[0] +
                        (sql[0] == 'a'   ? " disable trigger all"
                         : sql[0] == 'i' ? " default values"
                                         : "")),
                "")
          << sql << *row[0];
  }
  EXPECT_NE(a.error("alter table t disable trigger \"0_vestige_change\""), "");
  EXPECT_NE(a.error("drop function vestige.capture_1() cascade"), "");
  EXPECT_EQ(
      s.one("select string_agg(proname, ' ' order by proname) from pg_proc where pronamespace "
            "= 'vestige'::regnamespace and "
            "has_function_privilege('" +
            app + "', oid, 'execute')"),
      "access challenge set_context");
  a.run("create table mine (id int primary key, x int)");
  for (const char* function : {"capture_1()", "capture_truncate('1')", "refuse()"})
    EXPECT_NE(a.error(std::string("create trigger forged before truncate on mine for each "
                                  "statement execute function vestige.") +
                      function)
                  .find("permission denied"),
              std::string::npos);
}

TEST_F(PostgresCaptureContext, HostileObjectsOnTheSearchPathAreNotUsed) {
  const std::string app = shop.role("evil");
  s.run("grant all on schema public to " + app + "; grant all on t to " + app);
  PgSession a = shop.connect(app);
  a.run(R"(
    create table stolen (who text);
    create function public.hashtextextended(text, int) returns bigint language plpgsql as $$ begin insert into public.stolen values (current_user); return 0; end $$;
    create function public.pg_current_xact_id() returns xid8 language plpgsql as $$ begin insert into public.stolen values (current_user); return '1'; end $$;
    create function public.clock_timestamp() returns timestamptz language plpgsql as $$ begin insert into public.stolen values (current_user); return now(); end $$;
    create function public.eq(int, int) returns boolean language plpgsql as $$ begin insert into public.stolen values (current_user); return true; end $$;
    create operator public.= (leftarg = int, rightarg = int, function = public.eq);
    create type public.thing as (a int);
    create function public.thing_text(public.thing) returns text language plpgsql as $$ begin insert into public.stolen values (current_user); return 'x'; end $$;
    create cast (public.thing as text) with function public.thing_text(public.thing) as implicit;
    create table public.baited (id int primary key, v public.thing); grant all on public.baited to postgres;
    set search_path = public, pg_catalog;)");
  s.run("select vestige.track('public.baited')");
  a.run(
      "insert into baited values (1, '(5)'); update baited set v = '(6)'; insert into t values (1, "
      "1); update t set x = 2; delete from t");
  EXPECT_EQ(s.one("select count(*)::text from public.stolen where who <> '" + app + "'"), "0");
  EXPECT_EQ(shop.replayed("public.t"), "");
  EXPECT_EQ(shop.replayed("public.baited"), "");
}

TEST_F(PostgresCaptureContext, AConditionThatFailsWhenItRunsRecords) {
  s.run("select vestige.track('t', \"when\" => 'NEW.x % 2 = 1 and 10 / (NEW.x - 5) < 100')");
  s.run(
      "insert into t values (1, 1), (2, 2), (5, 5); update t set x = x + 2 where id < 5; delete "
      "from t where id = 2");
  EXPECT_EQ(s.one("select string_agg(op::text || key, ' ' order by id) from vestige.change"),
            "I1 I5 U1 D2");
  EXPECT_NE(s.error("select vestige.track('t', \"when\" => 'NEW.nothing > 1')"), "");
  EXPECT_NE(s.error("select vestige.track('t', \"when\" => 'NEW.x')"), "");
  EXPECT_NE(s.error("select vestige.track('t', \"when\" => 'unqualified(NEW.x)')"), "");
  s.run("alter table t rename x to y; update t set y = 2 where id = 1");
  s.run("update t set y = 4 where id = 1");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change"), "4");
  EXPECT_EQ(s.one("select policy ->> 'when' from vestige.tracked"),
            "NEW.y % 2 = 1 and 10 / (NEW.y - 5) < 100");
  s.run("alter table t drop y; insert into t values (9)");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change"), "5");
}

TEST_F(PostgresCaptureContext, ErrorsOfCaptureNameTheTrailAndNothingIsNoticed) {
  s.run(
      "select vestige.track('t', require => '{actor}'); create table said (context text); "
      "do $$ declare c text; begin insert into t values (1); exception when others then get "
      "stacked diagnostics c = pg_exception_context; "
      "insert into said values (c); end $$");
  EXPECT_NE(s.one("select context from said")
                .find("PL/pgSQL function vestige." +
                      std::string(native_engine() ? "capture" : "insert") + "_1()"),
            std::string::npos);
}

// What sqlcommenter appends stands in for a context, where that is asked for.
TEST_F(PostgresCaptureContext, CommentsOfSqlcommenter) {
  const std::string said =
      "select coalesce(vestige.given_fields(x.fields::text)::text, '') from vestige.context x join "
      "vestige.change c on c.context = x.id order by c.id desc limit 1";
  s.run("insert into t values (201) /*controller='index',traceparent='00-5bd6'*/");
  EXPECT_EQ(s.one(said), "");
  s.run("set vestige.sqlcommenter = on");
  s.run("insert into t values (202) /*action='%2Fparam*d',controller='it\\'s%20me'*/;");
  EXPECT_EQ(s.one(said), R"({"action": "/param*d", "controller": "it's me"})");
  s.run("insert into t values (203) /* no pairs */");
  EXPECT_EQ(s.one(said), "");
  s.run("insert into t values (204) /*a='%C3%A9%20%',b='%FF',c='%00',d=''*/");
  EXPECT_EQ(s.one(said), R"({"a": "é %", "b": "%FF", "c": "%00", "d": ""})");
  s.run(
      "begin; select vestige.set_context('{\"actor\": \"ann\"}'); "
      "insert into t values (205) /*actor='bob'*/; commit");
  EXPECT_EQ(s.one(said), R"({"actor": "ann"})");
  s.run("select vestige.track('t', require => '{actor}')");
  EXPECT_EQ(s.error("insert into t values (206)"),
            "run sql: vestige: a change of public.t needs a context with actor");
  EXPECT_EQ(s.error("insert into t values (207) /*actor='eve'*/"), "");
  EXPECT_EQ(s.one(said), R"({"actor": "eve"})");
}

}  // namespace
}  // namespace vestige
