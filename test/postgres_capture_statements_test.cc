// Every way to write a table.
#include "test/postgres_capture.h"

namespace vestige {
namespace {

class PostgresCaptureStatements : public testing::Test {
 protected:
  void SetUp() override {
    s.run("create table t (id int primary key, x int, y text); select vestige.track('t')");
  }
  void replays(const std::string& table = "public.t") { EXPECT_EQ(shop.replayed(table), ""); }
  std::string count(const std::string& where) {
    return s.one("select count(*)::text from vestige.change where " + where);
  }

  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresCaptureStatements, CopyMergeUpsertAndCommonTableExpressions) {
  s.run("copy t from program 'printf \"1\\t5\\ta\\n2\\t\\\\N\\tb\\n3\\t7\\t\\\\\\\\n\\n\"'");
  EXPECT_EQ(count("op = 'I'"), "3");
  s.run(
      "insert into t values (1, 6, 'u'), (4, 4, 'v') on conflict (id) do update set x = "
      "excluded.x, y = t.y || 'c'");
  s.run("insert into t values (1, 9, 'n') on conflict do nothing");
  s.run(
      "with d as (delete from t where id = 4 returning *), u as (update t set x = 50 where id = 2 "
      "returning id) "
      "insert into t select id + 10, x, y from d");
  s.run("update t set x = x where id = 1");
  if (s.db().version() >= 150000)
    s.run(
        "merge into t using (values (1, 'm'), (2, 'd'), (30, 'i')) as v(id, what) on t.id = v.id "
        "when matched and what = 'd' then delete when matched then update set y = what "
        "when not matched then insert values (v.id, 0, what)");
  replays();
}

TEST_F(PostgresCaptureStatements, CursorsSavepointsAndExceptions) {
  s.run("insert into t select i, i, 'r' from generate_series(1, 20) i");
  s.run(
      "begin; declare c cursor for select * from t order by id for update; move 3 in c; fetch c; "
      "update t set x = 100 where current of c; fetch c; delete from t where current of c; close "
      "c; commit");
  s.run(
      "begin; update t set x = 1 where id = 1; savepoint a; update t set x = 2 where id = 1; "
      "savepoint b; delete from t where "
      "id = 1; rollback to b; update t set x = 3 where id = 1; rollback to a; update t set x = 4 "
      "where id = 1; release a; commit");
  s.run(R"(do $$ begin
    for i in 1..10 loop
      begin
        update t set x = x + 1000 where id = i;
        if i % 2 = 0 then raise exception 'no'; end if;
      exception when others then null;
      end;
    end loop; end $$)");
  s.run("begin; delete from t; rollback");
  replays();
}

TEST_F(PostgresCaptureStatements, ProceduresThatCommit) {
  s.run(
      "create procedure p() language plpgsql as $$ begin for i in 1..6 loop insert into t values "
      "(i, 0, ''); "
      "perform set_config('vestige.context', format('{\"actor\": \"a%s\"}', i), true); update t "
      "set x = i where id = i; "
      "if i % 3 = 0 then rollback; else commit; end if; end loop; end $$");
  s.run("call p()");
  replays();
  EXPECT_EQ(s.one("select count(distinct c.xid)::text from vestige.change c join vestige.context x "
                  "on x.id = c.context and x.xid = c.xid"),
            "4");
}

TEST_F(PostgresCaptureStatements, DeferredConstraintsAndForeignKeys) {
  s.run(
      "create table child (id int primary key, t int references t on delete cascade on update "
      "cascade deferrable initially deferred, "
      "n int references t on delete set null on update set null); select vestige.track('child')");
  s.run("begin; insert into child values (1, 7, null); insert into t values (7, 0, ''); commit");
  s.run(
      "insert into t values (8, 0, ''); insert into child values (2, 8, 7), (3, 7, 8); update t "
      "set id = id + 100; delete from t where id = 107");
  EXPECT_NE(s.error("begin; insert into child values (9, 999, null); commit"), "");
  s.error("rollback");
  s.run(
      "begin; set constraints all deferred; update child set t = 5 where id = 2; insert into t "
      "values (5, 1, ''); delete from t where id = 5; "
      "delete from child; commit");
  replays();
  replays("public.child");
}

TEST_F(PostgresCaptureStatements, TwoPhaseCommit) {
  s.run(
      "begin; insert into t values (1, 1, 'a'), (2, 2, 'b'); alter table t add z int; update t set "
      "z = 5 where id = 2; "
      "prepare transaction 'one'");
  s.run("begin; select 1; commit");
  s.run(
      "commit prepared 'one'; begin; update t set x = 9; prepare transaction 'two'; rollback "
      "prepared 'two'; delete from t where id = 1");
  replays();
}

TEST_F(PostgresCaptureStatements, TheApplicationsTriggers) {
  s.run(R"(
    create function early() returns trigger language plpgsql as $$ begin
      if tg_op = 'DELETE' then if old.x = 13 then return null; end if; return old; end if;
      if new.x = 13 then return null; end if;
      new.y := upper(new.y); return new; end $$;
    create trigger "zz" before insert or update or delete on t for each row execute function early();
    create function late() returns trigger language plpgsql as $$ begin
      if new.y = 'BAD' then raise exception 'bad'; end if; return null; end $$;
    create trigger "!first" after insert or update on t for each row execute function late();
    create view v as select id, y from t;
    create function instead() returns trigger language plpgsql as $$ begin update t set y = new.y where id = old.id; return new; end $$;
    create trigger i instead of update on v for each row execute function instead();
    create rule soft as on delete to t where old.id = 2 do instead update t set y = 'gone' where id = old.id;)");
  s.run("insert into t values (1, 1, 'a'), (2, 13, 'b'), (3, 3, 'c'), (4, 4, 'd')");
  EXPECT_NE(s.error("update t set y = 'bad' where id > 2"), "");
  s.run(
      "insert into t values (2, 2, 'b'); update v set y = 'via' where id = 1; delete from t; "
      "insert into v values (9, 'x')");
  replays();
  EXPECT_EQ(s.one("select string_agg(id || y, ',') from t where id = 2"), "2GONE");
}

TEST_F(PostgresCaptureStatements, Truncate) {
  s.run("create table child (id int primary key references t); select vestige.track('child')");
  s.run(
      "insert into t select i, i, 'r' from generate_series(1, 10) i; insert into child values (1), "
      "(2)");
  s.run(
      "begin; truncate t cascade; rollback; begin; insert into t values (11, 1, ''); savepoint s; "
      "truncate t, child; rollback to s; commit");
  replays();
  s.run("begin; truncate t cascade; insert into t values (1, 0, 'again'); commit");
  replays();
  replays("public.child");
  EXPECT_EQ(count("op = 'T'"), "2");
  EXPECT_EQ(count("op = 'D'"), "13");
  s.run("select vestige.track('t', on_truncate => 'mark'); truncate t cascade");
  EXPECT_EQ(count("op = 'D'"), "13");
  s.run("select vestige.track('t', on_truncate => 'deny')");
  EXPECT_EQ(s.error("truncate t cascade"),
            "run sql: vestige: TRUNCATE of public.t is refused by its policy");
  EXPECT_EQ(s.error("truncate child, t"),
            "run sql: vestige: TRUNCATE of public.t is refused by its policy");
}

TEST_F(PostgresCaptureStatements, ReplicaRoleAndDisabledUserTriggers) {
  s.run(
      "set session_replication_role = replica; insert into t values (1, 1, 'a'); update t set x = "
      "2; delete from t; "
      "insert into t values (2, 1, 'a'); set session_replication_role = local; update t set x = 9");
  EXPECT_EQ(count("true"), "5");
  replays();
  s.run("set session_replication_role = replica; truncate t; reset session_replication_role");
  replays();
  for (const char* sql :
       {"update vestige.change set key = 'x'", "delete from vestige.context",
        "truncate vestige.change_default", "truncate vestige.moved", "delete from vestige.tracked",
        "truncate vestige.tracked", "update vestige.shape set note = ''"})
    EXPECT_NE(s.error(std::string("set session_replication_role = replica; ") + sql)
                  .find("history is append-only"),
              std::string::npos)
        << sql;
}

TEST_F(PostgresCaptureStatements, PlansThatWereMadeBefore) {
  s.run(
      "prepare w(int, text) as insert into t values ($1, 0, $2); prepare c(int) as update t set x "
      "= x + 1 where id = $1");
  for (int i = 0; i < 12; ++i)
    s.run("execute w(" + std::to_string(i) + ", 'p'); execute c(" + std::to_string(i) + ")");
  s.run("alter table t add z text default 'dd'");
  for (int i = 12; i < 24; ++i)
    s.run("execute w(" + std::to_string(i) + ", 'p'); execute c(" + std::to_string(i) + ")");
  s.run("discard all; update t set z = 'e' where id = 13; insert into t values (77)");
  s.run("update t set x = 0");
  EXPECT_EQ(count("op = 'U'"), "50");
  s.run("update t set z = null where z = 'dd'");
}

}  // namespace
}  // namespace vestige
