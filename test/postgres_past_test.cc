// as_of: a table as it was, compared with copies that were made then.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "test/diff_twin.h"
#include "test/postgres_capture.h"

namespace vestige {
namespace {

// A copy of a table, and the moment at which it was made.
struct Copy {
  std::string name, table, time, change;
};

class PostgresPast : public ::testing::Test {
 protected:
  Copy copy(const std::string& table) {
    Copy made{"copy_" + std::to_string(copies_.size()), table, "", ""};
    run("create table " + made.name + " as select * from " + table);
    made.time = one("select clock_timestamp()::text");
    made.change = one("select coalesce(max(id), 0)::text from vestige.change");
    copies_.push_back(made);
    return made;
  }
  // The rows in which a copy and what the trail tells differ, every column compared as text.
  std::string differences(const Copy& copy) {
    std::string all;
    std::vector<std::string> ways = {"vestige.as_of(null::" + copy.table + ", '" + copy.time +
                                     "')"};
    if (copy.change != "0")
      ways.push_back("vestige.as_of_change(null::" + copy.table + ", " + copy.change + ")");
    for (const std::string& way : ways)
      all += one("with told as (select row(x.*)::text as r from " + way +
                 " x), copied as (select row(x.*)::text as r from " + copy.name +
                 " x) select coalesce(string_agg(w || r, ' '), '') from (select '+' as w, r from "
                 "(table told except all table copied) a union all select '-', r from (table "
                 "copied except all table told) b) d")
                 .substr(0, 400);
    return all;
  }
  void run(const std::string& sql) { shop_.admin.run(sql); }
  std::string one(const std::string& sql) { return shop_.admin.one(sql); }
  std::string error(const std::string& sql) { return shop_.admin.error(sql); }

  PgShop shop_;
  std::vector<Copy> copies_;
};

// Rows come, change, move to other keys and go; keys are used again.
std::string random_statement(std::mt19937& dice, const std::string& table, bool two_keys) {
  const auto any = [&](int n) { return std::to_string(static_cast<int>(dice() % n)); };
  const std::string where = " where k % 12 = " + any(12) + (two_keys ? " and l = " + any(3) : "");
  switch (dice() % 8) {
    case 0:
    case 1:
      return "insert into " + table + " select i" + (two_keys ? ", i % 3" : "") +
             ", 'n' || i, i * 1.5, null from generate_series(" + any(30) + ", " +
             std::to_string(30 + static_cast<int>(dice() % 6)) + ", 3) i on conflict do nothing";
    case 2: return "delete from " + table + where;
    case 3: return "update " + table + " set a = null" + where;
    case 4:
      return "update " + table + " set a = 'quoted, \"x\" \\ ' || " + any(99) + ", c = now()" +
             where;
    case 5: return "update " + table + " set b = -b - " + any(9) + where;
    case 6:
      return "update " + table + " set k = k + 100, b = b + 1" + where +
             " and not exists (select from " + table + " o where o.k = " + table + ".k + 100)";
    default:
      return "update " + table + " set k = k % 100" + where +
             " and k > 100 and not exists (select from " + table + " o where o.k = " + table +
             ".k % 100)";
  }
}

TEST_F(PostgresPast, TellsWhatWasThereThroughARandomLife) {
  run("create table plain (k int primary key, a text, b numeric, c timestamptz);"
      "create table worded (k numeric primary key, a varchar(40), b numeric, c timestamptz);"
      "create table pairs (k int, l int, a text, b numeric, c timestamptz, primary key (k, l));"
      "create table parted (k int primary key, a text, b numeric, c timestamptz) partition by "
      "range (k);"
      "create table parted_1 partition of parted for values from (minvalue) to (20);"
      "create table parted_2 partition of parted for values from (20) to (maxvalue);"
      "select vestige.track('plain'), vestige.track('worded'), vestige.track('pairs', capture => "
      "'full'),"
      " vestige.track('parted')");
  for (unsigned seed = 1; seed <= 4; ++seed) {
    std::mt19937 dice(seed);
    for (const std::string table : {"plain", "worded", "pairs", "parted"}) {
      for (int i = 0; i < 40; ++i) {
        if (i % 8 == 0) copy(table);
        run(random_statement(dice, table, table == "pairs"));
      }
      copy(table);
    }
  }
  EXPECT_GT(std::stoi(one("select count(*)::text from vestige.moved")), 20);
  for (const Copy& made : copies_)
    EXPECT_EQ(differences(made), "") << made.table << " at change " << made.change;
  // What differs between two moments is what differs between two tables.
  auto db = must(open_database(shop_.database.url()));
  for (std::size_t i = 0; i < copies_.size(); i += 3) {
    const Copy& other = copies_[(i * 5 + 2) % copies_.size()];
    const Moment from{Moment::Kind::change, std::stoll(copies_[i].change)};
    const Moment to{Moment::Kind::change, std::stoll(other.change)};
    EXPECT_EQ(told_differences(*db, copies_[i].table, from, to),
              twin_differences(*db, copies_[i].table, from, to))
        << copies_[i].table << " " << from.value << " to " << to.value;
  }
}

TEST_F(PostgresPast, MapsColumnsToTodays) {
  run("create domain positive as int not null check (value > 0);"
      "create table t (id int primary key, name text, price numeric(10,2), size \"char\", hidden "
      "int, n positive);"
      "select vestige.track('t', exclude => '{hidden}');"
      "insert into t values (1, 'a', 1.5, 'x', 7, 1), (2, 'b', 2.5, 'y', 7, 2), (3, 'c', null, "
      "null, 7, 3)");
  const Copy before = copy("t");
  run("update t set name = 'A', size = null where id = 1; delete from t where id = 2");
  run("alter table t rename name to title; alter table t drop price; alter table t add extra int "
      "default 5;"
      "alter table t alter id type bigint");
  run("update t set extra = 6, title = 'C' where id = 3; insert into t values (4, 'd', 'z', 8, 9, "
      "9)");
  EXPECT_EQ(one("select string_agg(row(x.*)::text, ' ' order by id) from vestige.as_of(null::t, '" +
                before.time + "') x"),
            "(1,a,x,,1,) (2,b,y,,2,) (3,c,,,3,)");
  EXPECT_EQ(one("select string_agg(row(x.*)::text, ' ' order by id) from vestige.as_of(null::t, "
                "clock_timestamp()) x"),
            "(1,A,,,1,5) (3,C,,,3,6) (4,d,z,,9,9)");
  // DDL that nothing has noticed yet, no event trigger and no write: what holds now is shown.
  run("alter event trigger vestige_ddl_end disable; alter table t rename title to name; alter "
      "table t "
      "add more text default 'm'; alter event trigger vestige_ddl_end enable always");
  EXPECT_EQ(one("select string_agg(row(x.*)::text, ' ' order by id) from vestige.as_of(null::t, '" +
                before.time + "') x"),
            "(1,a,x,,1,,m) (2,b,y,,2,,) (3,c,,,3,,m)");
}

TEST_F(PostgresPast, TakesRowsOfTablesThatInherit) {
  run("create table base (id int primary key, a text); create table child (b int, primary key "
      "(id)) inherits (base);"
      "select vestige.track('base');"
      "insert into base values (1, 'one'); insert into child values (2, 'two', 5)");
  const Copy before = copy("base");
  const Copy of_child = copy("child");
  run("update base set a = upper(a); update child set b = 6; delete from only base; insert into "
      "child values (1, 'x', 1)");
  EXPECT_EQ(differences(before), "");
  EXPECT_EQ(differences(of_child), "");
  // A key that a row has in both is of two rows: each is compared with itself.
  auto db = must(open_database(shop_.database.url()));
  const Moment then{Moment::Kind::change, std::stoll(before.change)};
  Diffs diffs = must(Diffs::read(*db, "base", then, Moment{}));
  std::multiset<std::string> differ;
  while (const auto diff = must(diffs.next()))
    differ.insert((diff->from.has_value() ? to_json(*diff->from) : "") + ">" +
                  (diff->to.has_value() ? to_json(*diff->to) : ""));
  EXPECT_EQ(differ,
            (std::multiset<std::string>{R"({"id":1,"a":"one"}>)", R"(>{"id":1,"a":"x","b":1})",
                                        R"({"id":2,"a":"two","b":5}>{"id":2,"a":"TWO","b":6})"}));
  // One that is made later is tracked as it is made, where an event trigger tells of it; else doctor does.
  const Copy earlier = copy("base");
  run("create table late (primary key (id)) inherits (base); insert into late values (7, 'seven')");
  EXPECT_EQ(differences(earlier), "");
  run("alter event trigger vestige_ddl_end disable; create table later () inherits (base)");
  EXPECT_EQ(error("select vestige.as_of(null::base, now())"),
            "run sql: read public.base: public.later is not tracked");
}

TEST_F(PostgresPast, ATableMadeAnewGoesOnUnderItsName) {
  run("create table t (id int primary key, a text); select vestige.track('t');"
      "insert into t values (1, 'one'), (2, 'two')");
  const std::string first = one("select max(id)::text from vestige.change");
  run("delete from t where id = 1");
  run("drop table t; create table t (a text, id int primary key); insert into t values ('not "
      "seen', 7);"
      "select vestige.track('t'); insert into t values ('three', 3)");
  const Copy between = copy("t");
  run("update t set a = 'THREE' where id = 3; delete from t where id = 7");
  EXPECT_EQ(differences(between), "");
  // Of the old table, the rows that were deleted; a row that went with the table was never seen to go.
  EXPECT_EQ(one("select string_agg(x::text, ' ' order by id) from vestige.as_of_change(null::t, " +
                first + ") x"),
            "(one,1) (\"not seen\",7)");
}

TEST_F(PostgresPast, KeysOfTypesOfTheirOwnAndOtherCollations) {
  run("create type colour as enum ('red', 'green'); create type pair as (x int, y text);"
      "create table coloured (c colour primary key, v int); create table paired (p pair primary "
      "key, v int);"
      "create table cased (k text collate \"POSIX\" primary key, v int);"
      "select vestige.track('coloured'), vestige.track('paired'), vestige.track('cased');"
      "insert into coloured values ('red', 1), ('green', 2); insert into paired values ('(1,\"a "
      "b\")', 1), ('(2,)', 2);"
      "insert into cased values ('a', 1), ('A', 2), ('b\"c', 3)");
  const std::vector<Copy> before = {copy("coloured"), copy("paired"), copy("cased")};
  run("update coloured set v = 9 where c = 'red'; delete from coloured where c = 'green';"
      "update paired set v = 9; delete from paired where v = 9; update cased set v = v + 1; delete "
      "from cased where k > 'a';"
      "update cased set k = 'B' where k = 'A'");
  for (const Copy& made : before) EXPECT_EQ(differences(made), "") << made.table;
}

TEST_F(PostgresPast, SaysWhatItCannot) {
  run("create table keyless (a int); create table free (a int primary key);"
      "create table parted (k int primary key) partition by range (k);"
      "create table part partition of parted default; create table t (a int primary key, b int "
      "unique not null);"
      "select vestige.track('keyless'), vestige.track('parted'), vestige.track('t'); insert into t "
      "values (1, 2)");
  EXPECT_EQ(error("select vestige.as_of(null::keyless, now())"),
            "run sql: read public.keyless at a moment: it is tracked without a key");
  EXPECT_EQ(error("select vestige.as_of(null::free, now())"),
            "run sql: as_of: public.free is not tracked");
  EXPECT_EQ(error("select vestige.as_of(null::part, now())"),
            "run sql: as_of: public.part is a partition");
  EXPECT_EQ(error("select vestige.as_of(1, now())"),
            "run sql: as_of: a row of a table and a time are needed");
  EXPECT_EQ(error("select vestige.as_of(null::t, null)"),
            "run sql: as_of: a row of a table and a time are needed");
  EXPECT_EQ(error("select vestige.as_of_change(null::t, 99)"),
            "run sql: as_of_change: there is no change 99");
  run("select vestige.track('t', key => '{b}'); update t set b = 3");
  EXPECT_EQ(error("select vestige.as_of(null::t, now() - interval '1 hour')"),
            "run sql: read public.t at a moment: its key had other columns since");
  EXPECT_EQ(one("select count(*)::text from vestige.change c, "
                "vestige.as_of_change(null::t, c.id) where c.op = 'I'"),
            "1");
  run("create table headless (a int primary key, b int); select vestige.track('headless');"
      "insert into headless values (1, 2); alter event trigger vestige_ddl_end disable; "
      "alter table headless drop a; alter event trigger vestige_ddl_end enable always");
  EXPECT_EQ(error("select vestige.as_of(null::headless, now())"),
            "run sql: read public.headless at a moment: a column of its key is gone");
}

TEST_F(PostgresPast, FindsTheLastChangeBeforeATime) {
  run("create table t (id int primary key); select vestige.track('t')");
  // Three sessions at once: ids and times not in the same order, one that waited for an hour, and gaps.
  run("insert into vestige.change (id, at, xid, context, tracked, shape, op, key_hash, key, "
      "new_row) select i * 3, "
      "'2026-01-01+00'::timestamptz + (i + (i * 7) % 5) * interval '1 second'"
      " + case when i % 1777 = 0 then interval '1 hour' else '0' end, '1', 1, 1, 1, 'I', 0, "
      "i::text, '(' || i || ')'"
      " from generate_series(1, 20000) i");
  for (const std::string seconds :
       {"0", "1", "7", "1500", "5331.5", "9999", "17770", "19999", "20003", "30000"}) {
    const std::string time = "'2026-01-01+00'::timestamptz + " + seconds + " * interval '1 second'";
    EXPECT_EQ(one("select vestige.change_at(" + time + ")::text"),
              one("select coalesce(max(id), 0)::text from vestige.change where at <= " + time))
        << seconds;
  }
}

}  // namespace
}  // namespace vestige
