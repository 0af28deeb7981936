// What the native engine writes is what the portable one would have written, value by value: every type, every policy,
// under settings that change how values print, and random workloads. VESTIGE_SEED=… plays one of those again.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "test/capture_random.h"
#include "test/postgres_native.h"

namespace vestige {
namespace {

struct Type {
  std::string name;
  std::vector<std::string> values;
};

const std::vector<Type>& types() {
  static const std::vector<Type> all = {
      {"int", {"0", "-2147483648", "7"}},
      {"smallint", {"1", "-32768"}},
      {"bigint", {"-9223372036854775808", "9007199254740993"}},
      {"numeric", {"1", "1.0", "1.00", "'NaN'", "1e-20", "repeat('9', 2000)::numeric"}},
      {"numeric(8,2)", {"1", "1.005", "-3"}},
      {"float8", {"0", "'-0'", "0.1", "1e300", "'NaN'", "'-Infinity'"}},
      {"real", {"0.1", "16777217", "'-0'"}},
      {"money", {"'12.34'", "-5"}},
      {"boolean", {"true", "false"}},
      {"text",
       {"''", "'a'", "'a,\"b'", "E'\\\\'", "' '", "'NULL'", "'(x)'", "E'tab\\there'", "'Größe'",
        "repeat('x', 3000)", "repeat('lang ', 30000)"}},
      {"varchar(10)", {"''", "'a b'"}},
      {"char(3)", {"'a'", "'ab '", "''"}},
      {"char", {"'a'", "''"}},
      {"\"char\"", {"'a'", "'('"}},
      {"name", {"'a'", "'some name'"}},
      {"bytea", {"'\\x00'", "'\\x5c22'", "''", "decode(repeat('00', 9000), 'hex')"}},
      {"uuid", {"'6f1d2a4e-0000-4000-8000-000000000000'"}},
      {"date", {"'2024-02-29'", "'-infinity'", "'0044-03-15 BC'"}},
      {"time", {"'12:00:00.5'", "'24:00'"}},
      {"timetz", {"'12:00+05:30'"}},
      {"timestamp", {"'2024-10-27 01:30'", "'infinity'"}},
      {"timestamptz",
       {"'2024-10-27 01:30+00'", "'infinity'", "'0044-03-15 BC'",
        "'1900-01-01 00:00:00.000001+00:19:32'"}},
      {"interval", {"'1 mon'", "'30 days'", "'1 day -1s'"}},
      {"json", {"'{\"a\": 1,  \"a\":2}'", "'[]'"}},
      {"jsonb", {"'{\"a\":1.0}'", "'{\"a\":1.00}'", "'null'"}},
      {"xml", {"'<a>1</a>'"}},
      {"int[]", {"'{}'", "'{1,NULL}'", "'[0:1]={1,2}'", "'{{1},{2}}'"}},
      {"text[]", {"array['a,b', null, '', 'NULL']", "'{}'"}},
      {"timestamptz[]", {"array['2024-10-27 01:30+00'::timestamptz, null]"}},
      {"float8[]", {"array[0.1, 'NaN']::float8[]"}},
      {"mood", {"'a'", "'b''s, \"x\"'"}},
      {"mood[]", {"array['a']::mood[]"}},
      {"pair", {"row(1, 'x')", "row(null, null)", "row(1.5, 'a,\"b')"}},
      {"dated", {"row('2024-10-27 01:30+00', 0.1)"}},
      {"small", {"1", "9"}},
      {"int4range", {"'[1,3)'", "'empty'"}},
      {"tstzrange", {"tstzrange('2024-10-27 01:30+00', null)"}},
      {"inet", {"'10.0.0.1/8'", "'::1'"}},
      {"cidr", {"'10.0.0.0/8'"}},
      {"macaddr", {"'08:00:2b:01:02:03'"}},
      {"bit(3)", {"B'101'"}},
      {"varbit", {"B''", "B'1'"}},
      {"point", {"'(1,2.5)'"}},
      {"box", {"'(1,2.5),(0,0.1)'"}},
      {"tsvector", {"'a:1 b:2'"}},
      {"oid", {"4294967295"}},
      {"regclass", {"'odd.\"Table\"'", "'pg_class'"}},
      {"regtype", {"'mood'", "'int'"}},
      {"pg_lsn", {"'16/B374D848'"}},
      {"odd.folded", {"'a'", "'A'"}},
  };
  return all;
}

constexpr const char* kTypes =
    "create type mood as enum ('a', 'b''s, \"x\"'); create type pair as (n numeric, t text); "
    "create type dated as (at timestamptz, f float8); "
    "create domain small as int check (value < 10); create schema odd; "
    "create table odd.\"Table\" (a int); create domain odd.folded as text";

// What sessions set, to be harmful.
const std::vector<std::string>& settings() {
  static const std::vector<std::string> all = {
      "select 1",
      "set timezone = 'America/New_York'; set datestyle = 'SQL, DMY'; set intervalstyle = "
      "'iso_8601'; set extra_float_digits = 0; set bytea_output = 'escape'",
      "set timezone = 'Asia/Kathmandu'; set datestyle = 'German'; set intervalstyle = "
      "'sql_standard'; set extra_float_digits = -15; set quote_all_identifiers = on; "
      "set search_path = public, odd"};
  return all;
}

class PostgresNativeTwin : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!NativeTwins::there(shop)) GTEST_SKIP() << "the server has no native engine";
    shop.admin.run(kTypes);
  }
  // The table may come again: what was told of this one is nobody's.
  void drop() {
    twins.both("drop table $");
    shop.admin.run(
        "update vestige.tracked set untracked_at = now(), schema_name = 'gone'; alter table "
        "vestige.shape disable trigger all; update vestige.shape set table_name = 'gone'");
  }
  PgShop shop;
  NativeTwins twins{shop};
};

TEST_F(PostgresNativeTwin, EveryTypeUnderEverySetting) {
  for (const Type& type : types()) {
    twins.make("create table $ (id int primary key, v " + type.name + ", w " + type.name + ")");
    for (const std::string& setting : settings()) {
      twins.both(setting);
      const std::string shown = twins.shown("datestyle");
      for (const std::string& value : type.values) {
        const std::string cast = "(" + value + ")::" + type.name;
        twins.both("insert into $ values (1, null, " + cast + "), (2, " + cast + ", null)");
        for (const std::string& other : type.values)
          twins.both("update $ set v = (" + other + ")::" + type.name);
        twins.both("update $ set w = v, v = null; update $ set id = -id where id = 1");
        twins.both("delete from $");
      }
      EXPECT_EQ(twins.shown("datestyle"), shown);
      twins.both("reset all");
    }
    EXPECT_EQ(twins.difference(), "") << type.name;
    drop();
  }
}

// The native engine prints moments by itself where their years have four digits.
TEST_F(PostgresNativeTwin, MomentsOfAllYears) {
  twins.make("create table $ (id int primary key, d date, t timestamp, z timestamptz, b boolean)");
  twins.both(
      "set timezone = 'America/St_Johns'; insert into $ select i, d, d + t, (d + t) at time zone "
      "'UTC', i % 2 = 0 from (select i, '2000-01-01'::date + i as d, case i % 3 when 0 then '0' "
      "when 1 then '23:59:59.999999' else '04:05:06.7' end::interval as t from "
      "generate_series(-2450000, 2970000, 307) i) s");
  twins.both(
      "insert into $ select 3000000 + 10 * n + k, d + k, d + k + k * interval '0.00001 s', null, "
      "null from unnest('{1000-01-01,9999-12-31,2000-02-28,1900-02-28,2000-12-31}'::date[]) with "
      "ordinality as u(d, n), generate_series(-2, 2) as k");
  twins.both("update $ set t = t + interval '1 microsecond', d = d + 1, b = not b");
  EXPECT_EQ(twins.difference(), "");
}

TEST_F(PostgresNativeTwin, KeysAndPolicies) {
  struct Case {
    std::string create, policy;
  };
  const std::vector<Case> cases = {
      {"create table $ (id int, v text, w int, primary key (v, id))", ""},
      {"create table $ (id int, v text primary key, w int)", ""},
      {"create table $ (id int, v text, w int)", ""},
      {"create table $ (id int, v text, w int unique)", "key => '{w}'"},
      {"create table $ (id timestamptz primary key, v text, w int)", ""},
      {"create table $ (id int primary key, v text, w int)", "capture => 'full'"},
      {"create table $ (id int primary key, v text, w int)", "exclude => '{w}'"},
      {"create table $ (id int primary key, v text, w int)", "include => '{w}'"},
      {"create table $ (id int primary key, v text, w int)", "redact => '{v}'"},
      {"create table $ (id int, v text, w int)", "redact => '{w}'"},
      {"create table $ (id int primary key, v text, w int)", "capture => 'full', redact => '{w}'"},
      {"create table $ (id int primary key, v text, w int)", "\"when\" => 'NEW.w > 2'"},
      {"create table $ (gone int, id int primary key, v text, w int); alter table $ drop gone; "
       "alter table $ add x numeric(8,2) default 1, add y bigint generated always as (w * 2) "
       "stored",
       ""},
      {"create table $ (id int primary key, v text, w int) partition by range (id); "
       "create table $_low (w int, gone int, v text, id int not null); alter table $_low drop "
       "gone; "
       "alter table $ attach partition $_low for values from (minvalue) to (3); create table "
       "$_rest partition of $ default",
       ""}};
  for (const auto& [create, policy] : cases) {
    const std::string timed = create.find("timestamptz") != std::string::npos
                                  ? "'2024-01-01'::timestamptz + interval '1 h' * "
                                  : "";
    twins.make(create, policy);
    for (int i = 0; i < 6; ++i)
      twins.both("insert into $ (id, v, w) values (" + timed + std::to_string(i) + ", 'v," +
                 std::to_string(i) + "', " + std::to_string(i) + ")");
    twins.both(
        "update $ set v = v || 'x' where w % 2 = 0; update $ set v = v; update $ set w = w + 10 "
        "where w < 4");
    twins.both("begin; select vestige.set_context('{\"actor\": \"a\"}'); update $ set w = w + 10");
    twins.both("update $ set w = -w where w > 3; commit");
    twins.both(timed.empty() ? "update $ set id = 7 - id"
                             : "update $ set id = id + interval '1 d'");
    twins.both("delete from $ where w % 2 = 0; truncate $");
    EXPECT_EQ(twins.difference(), "") << create << " " << policy;
    drop();
  }
}

TEST_F(PostgresNativeTwin, WhatIsRequiredOfTheContext) {
  twins.make("create table $ (id int primary key, v text)", "require => '{actor}'");
  const std::string refused = twins.both("insert into $ values (1, 'a')");
  EXPECT_NE(refused.find("needs a context with actor"), std::string::npos) << refused;
  // A write that changes nothing needs no context, and does not stand for one that has it.
  twins.both(
      "begin; select vestige.set_context('{\"actor\": \"a\"}'); insert into $ values (1, 'a'); "
      "commit");
  EXPECT_EQ(twins.both("update $ set v = v"), "");
  EXPECT_NE(twins.both("update $ set v = 'b'"), "");
  EXPECT_NE(twins.both("begin; update $ set v = v; update $ set v = 'c'"), "");
  twins.both("rollback");
  EXPECT_EQ(
      twins.both("begin; select vestige.set_context('{\"actor\": \"b\"}'); update $ set v = "
                 "'d'; update $ set v = 'e'; insert into $ values (2, 'x'), (3, 'y'); commit"),
      "");
  // The comment of one statement says nothing of the next.
  EXPECT_EQ(twins.both("set vestige.sqlcommenter = on"), "");
  EXPECT_EQ(twins.both("update $ set v = 'f' /*actor='ann'*/"), "");
  EXPECT_NE(twins.both("update $ set v = 'g'"), "");
  EXPECT_EQ(twins.difference(), "");
}

// Statements, savepoints and triggers that random dice choose, run for both tables.
class Play {
 public:
  Play(PgShop& shop, std::uint64_t seed) : twins(shop), dice_(seed) {
    std::string parts = "id int primary key";
    for (std::size_t i = 0; i < 1 + dice_.below(6); ++i) {
      columns_.push_back(dice_.pick(types()));
      parts += ", c" + std::to_string(i) + " " + columns_.back().name;
    }
    const std::string setting = dice_.pick(settings());
    std::string policy = dice_.chance(20) ? "capture => 'full'" : "";
    if (dice_.chance(30)) policy += (policy.empty() ? "" : ", ") + std::string("redact => '{c0}'");
    twins.make("create table $ (" + parts + ")", policy);
    if (dice_.chance(30)) make_trigger();
    step(setting);
  }
  void transaction() {
    const bool open = dice_.chance(60);
    if (open) step("begin");
    for (std::size_t i = 1 + dice_.below(4); i > 0; --i) {
      if (open) step("savepoint a");
      if (dice_.chance(20))
        step("select set_config('vestige.context', '{\"actor\": \"" +
             dice_.pick<std::string>({"ann", "bob"}) + "\"}', " + (open ? "true" : "false") + ")");
      if (dice_.chance(6)) step("alter table $ add x" + std::to_string(++made_) + " int default 5");
      const bool refused = !step(statement()).empty();
      if (open && (refused || dice_.chance(20))) step("rollback to a");
    }
    if (open) step(dice_.chance(20) ? "rollback" : "commit");
  }

  NativeTwins twins;
  std::string log;

 private:
  std::string step(const std::string& sql) {
    log += sql.substr(0, 500) + ";\n";
    return twins.both(sql);
  }
  void make_trigger() {
    step(
        "create function app_$() returns trigger language plpgsql as 'begin if pg_trigger_depth() "
        "< 2 then update $ set " +
        set() + " where id = new.id + 1; end if; return new; end'");
    step("create trigger app after insert or update on $ for each row execute function app_$()");
  }
  std::string value(const Type& type) {
    return dice_.chance(15) ? "null" : "(" + dice_.pick(type.values) + ")::" + type.name;
  }
  std::string set() {
    const std::size_t i = dice_.below(columns_.size());
    return "c" + std::to_string(i) + " = " + value(columns_[i]);
  }
  std::string row() {
    std::string out = "(" + std::to_string(dice_.below(9));
    for (const Type& type : columns_) out += ", " + value(type);
    return out + ")";
  }
  std::string statement() {
    const std::string where = dice_.pick<std::string>({"", " where id % 2 = 0", " where id > 4"});
    switch (dice_.below(8)) {
      case 0:
      case 1: return "insert into $ values " + row() + " on conflict (id) do update set " + set();
      case 2: return "insert into $ values " + row() + ", " + row();
      case 3: return "delete from $" + where;
      case 4: return "update $ set id = id + 20" + where;
      case 5: return "update $ set id = id - 20 where id > 19";
      default: return "update $ set " + set() + where;
    }
  }

  Dice dice_;
  std::vector<Type> columns_;
  int made_ = 0;
};

TEST_F(PostgresNativeTwin, RandomWork) {
  EXPECT_TRUE(rc::check("both engines record the same", [] {
    PgShop own;
    if (!NativeTwins::there(own)) throw std::runtime_error("the module is gone");
    own.admin.run(kTypes);
    const std::uint64_t number = drawn_seed();
    Play play(own, number);
    for (int i = 0; i < 20; ++i) play.transaction();
    play.twins.both("insert into $ values (100)");
    const std::string wrong = play.twins.difference();
    if (!wrong.empty())
      throw std::runtime_error("seed " + std::to_string(number) + ": " + wrong + "\n" + play.log);
  }));
}

}  // namespace
}  // namespace vestige
