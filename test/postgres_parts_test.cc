// Rows that come into a tracked table, or leave it, where no row trigger fires: partitions, inheritance, triggers that were
// switched off, copies of the schema alone. With event triggers, and without them.
#include "test/postgres_capture.h"
#include "vestige/audit/doctor.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

class PostgresParts : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!GetParam())
      s.run(
          "drop event trigger vestige_ddl_start; drop event trigger vestige_ddl_end;"
          "drop event trigger vestige_drop");
    s.run(
        "create table e (id int primary key, v text) partition by range (id);"
        "create table e1 partition of e for values from (0) to (10);"
        "create table e2 partition of e for values from (10) to (20);"
        "select vestige.track('e'); insert into e values (1, 'a'), (11, 'b')");
  }

  std::string found() {
    return s.one(
        "select coalesce(string_agg(concat(code, ' ', \"table\"), ', '), '') from vestige.doctor() "
        "where severity in ('error', 'warning')");
  }
  std::string last() { return s.one("select max(id)::text from vestige.change"); }
  std::string ids_at(const std::string& change) {
    return s.one(
        "select string_agg(id::text, ' ' order by id) from vestige.as_of_change(null::e, " +
        change + ")");
  }
  std::string ops(const std::string& after) {
    return s.one(
        "select coalesce(string_agg(op::text || coalesce(key, ''), ' ' order by id), '') from "
        "vestige.change where id > " +
        after);
  }
  // Says what is out of order until it is accepted, and then goes on to say it as a note.
  void expect_gap(const std::string& words) {
    EXPECT_NE(found().find("gap e"), std::string::npos) << words;
    const auto fixed = doctor(s.db(), true);
    ASSERT_TRUE(fixed.has_value()) << fixed.error().message;
    EXPECT_EQ(found(), "") << words;
    EXPECT_NE(s.one("select string_agg(message, '; ') from vestige.doctor() where code = 'gap' and "
                    "severity = 'note'")
                  .find(words),
              std::string::npos)
        << words;
  }

  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_P(PostgresParts, ADetachedPartitionIsNoPartOfTheTable) {
  const std::string before = last();
  s.run(
      "alter table e detach partition e1; insert into e1 values (3, 'x'); update e1 set v = 'y';"
      "delete from e1 where id = 1; truncate e1");
  EXPECT_EQ(ops(before), "");
  EXPECT_EQ(ids_at(before), "11");
  expect_gap("e1");
  EXPECT_EQ(s.one("select count(*)::text from vestige.idle_triggers()"), "0");
}

TEST_P(PostgresParts, RowsThatCameWithAPartition) {
  s.run("create table e3 (like e including all); insert into e3 values (21, 'c'), (22, 'd')");
  const std::string before = last();
  s.run("alter table e attach partition e3 for values from (20) to (30)");
  if (!GetParam()) expect_gap("e3");
  EXPECT_EQ(found(), "");
  EXPECT_EQ(ops(before), "I21 I22");
  EXPECT_EQ(ids_at(before), "1 11");
  EXPECT_EQ(ids_at(last()), "1 11 21 22");
  EXPECT_EQ(shop.replayed("public.e"), "");
}

TEST_P(PostgresParts, APartitionThatIsMadeBringsNothing) {
  s.run(
      "create table e3 partition of e for values from (20) to (30); insert into e values (21, "
      "'c'); select vestige.mend()");
  EXPECT_EQ(found(), "");
  EXPECT_EQ(s.one("select count(*)::text from vestige.gap where message like '%rows%'"), "0");
  s.run("truncate e3");
  EXPECT_EQ(ids_at(last()), "1 11");
  EXPECT_EQ(shop.replayed("public.e"), "");
}

TEST_P(PostgresParts, TooManyRowsAreAGap) {
  s.run(
      "update vestige.meta set value = '5' where name = 'part_rows';"
      "create table e3 (like e including all); insert into e3 select i, 'x' from "
      "generate_series(20, 27) i");
  const std::string before = last();
  s.run("alter table e attach partition e3 for values from (20) to (30)");
  expect_gap("rows came with partition public.e3, and are not in the trail");
  EXPECT_EQ(ops(before), "");
}

TEST_P(PostgresParts, ADroppedPartition) {
  s.run("drop table e1");
  expect_gap("e1 was dropped");
}

TEST_P(PostgresParts, ATableThatInherits) {
  s.run(
      "create table base (id int primary key, v text); select vestige.track('base');"
      "create table mine (primary key (id)) inherits (base)");
  if (!GetParam()) s.run("select vestige.mend()");
  s.run("insert into mine values (1, 'x')");
  EXPECT_EQ(s.one("select count(*)::text from vestige.changes where \"table\" = 'mine'"), "1");
  s.run("create table other (id int primary key, v text); insert into other values (5, 'o')");
  const std::string before = last();
  s.run("alter table other inherit base");
  if (!GetParam()) s.run("select vestige.mend()");
  EXPECT_EQ(s.one("select string_agg(id::text, ' ') from vestige.as_of_change(null::base, " +
                  before + ")"),
            "1");
  s.run("alter table mine no inherit base");
  EXPECT_NE(found().find("gap base"), std::string::npos);
}

TEST_P(PostgresParts, ATruncateOfAllAndOneOfAPart) {
  std::string before = last();
  s.run("begin; truncate e; insert into e values (2, 'c'), (12, 'd'); truncate e2; commit");
  EXPECT_EQ(ops(before), "D1 D11 T I2 I12 D12");
  EXPECT_EQ(shop.replayed("public.e"), "");
  s.run("select vestige.track('e', on_truncate => 'mark'); insert into e values (13, 'e')");
  before = last();
  s.run("truncate e2; truncate e");
  EXPECT_EQ(ops(before), "D13 T");
}

INSTANTIATE_TEST_SUITE_P(EventTriggers, PostgresParts, testing::Bool(),
                         [](const auto& one) { return one.param ? "With" : "Without"; });

class PostgresSwitched : public testing::Test {
 protected:
  PostgresSwitched() {
    s.run("create table t (id int primary key, x int); select vestige.track('t')");
  }
  std::string found() {
    return s.one(
        "select coalesce(string_agg(code, ', '), '') from vestige.doctor() where severity <> "
        "'note'");
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

// Every way in which ALTER TABLE switches triggers: what is recorded after it is recorded once, as anybody and as a replica.
TEST_F(PostgresSwitched, EveryWayToEnableTriggers) {
  int row = 0;
  for (const bool events : {true, false})
    for (const std::string which : {"all", "user", "\"0_vestige_change\""})
      for (const std::string off : {"", "disable trigger "}) {
        if (!events) s.error("drop event trigger vestige_ddl_end");
        if (!off.empty()) s.run("alter table t " + off + which);
        s.run("alter table t enable trigger " + which);
        const std::string id = std::to_string(++row);
        s.run("insert into t values (" + id + ", 0); update t set x = 1 where id = " + id);
        EXPECT_EQ(s.one("select string_agg(op::text, '' order by id) from vestige.change where key "
                        "= '" +
                        id + "'"),
                  "IU")
            << off << which << events;
        if (events && off.empty()) {
          EXPECT_EQ(found(), "");
        }
        s.run("select vestige.mend()");
        EXPECT_EQ(found(), "");
        const std::string replica = std::to_string(++row);
        s.run("set session_replication_role = replica; insert into t values (" + replica +
              ", 0); set session_replication_role = origin");
        EXPECT_EQ(s.one("select string_agg(op::text, '') from vestige.change where key = '" +
                        replica + "'"),
                  "I");
      }
  EXPECT_EQ(shop.replayed("public.t"), "");
}

TEST_F(PostgresSwitched, WhatWasSwitchedOffIsAGap) {
  s.run(
      "alter table t disable trigger all; insert into t values (1, 1); alter table t enable "
      "trigger "
      "all");
  EXPECT_EQ(found(), "gap");
  EXPECT_EQ(s.one("select message from vestige.doctor() where code = 'gap'")
                .find("capture was switched off by postgres"),
            0U);
}

// A dump of the schema alone: its tables, functions and triggers, and nothing in them.
TEST_F(PostgresSwitched, ACopyOfTheSchemaAloneRecordsNothing) {
  s.run(
      "create table u (id int primary key); select vestige.track('u');"
      "create table p (id int primary key) partition by range (id); create table p1 partition of "
      "p for values from (0) to (10); select vestige.track('p')");
  ScratchDatabase copy;
  const std::string command = "pg_dump -s -O -x '" + shop.database.url() + "' | psql -qX '" +
                              copy.url() + "' >/dev/null 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0);
  PgSession other(copy.url());
  EXPECT_EQ(
      other.error("insert into t values (1, 1); update t set x = 2; insert into p values (1); "
                  "truncate p; truncate t; insert into u values (7); delete from u"),
      "");
  const auto none = doctor(other.db(), false);
  ASSERT_FALSE(none.has_value());
  EXPECT_NE(
      none.error().message.find("has its tables and triggers, and nothing in them: a copy of the "
                                "schema alone"),
      std::string::npos);
  EXPECT_TRUE(*install(other.db()));
  EXPECT_EQ(*idle_tables(other.db()), 4);
  const auto idle = [&](const std::string& code) {
    return other.one(
        "select coalesce(string_agg(concat_ws(': ', message, remedy), E'\\n'), '') from "
        "vestige.doctor() where code = '" +
        code + "'");
  };
  EXPECT_EQ(other.one("select count(*)::text from vestige.doctor() where code = 'triggers-idle'"),
            "4");
  EXPECT_NE(
      idle("triggers-idle")
          .find("vestige track public.t records it; vestige doctor --fix takes the triggers away"),
      std::string::npos)
      << idle("triggers-idle");
  // Another table may not get the number of a function that is fired here.
  other.run("select vestige.track('u'); insert into t values (2, 2); insert into u values (8)");
  EXPECT_EQ(other.one("select string_agg(key, ' ') from vestige.change"), "8");
  other.run("drop table p");  // and its triggers: the functions stay
  const std::string left = idle("functions-idle");
  for (const char* said :
       {"capture functions stand and no table is tracked by them: vestige.capture_2()",
        ", vestige.capture_3(),", ": vestige doctor --fix drops them"})
    EXPECT_NE(left.find(said), std::string::npos) << left;
  EXPECT_TRUE(doctor(other.db(), true).has_value());
  EXPECT_EQ(*idle_tables(other.db()), 0);
  EXPECT_EQ(idle("functions-idle"), "");
  EXPECT_EQ(other.one("select string_agg(proname, ' ' order by proname) from pg_proc where "
                      "proname ~ '^(capture|insert)_[0-9]+$'"),
            other.one("select string_agg(f, ' ' order by f) from vestige.tracked t, "
                      "unnest(array['capture_' || id, 'insert_' || id]) f where "
                      "to_regproc('vestige.' || f) is not null"));
}

}  // namespace
}  // namespace vestige
