// Every type, under every setting that changes how it prints.
#include "test/postgres_capture.h"

namespace vestige {
namespace {

struct Sample {
  const char* type;
  std::vector<const char*> values;  // SQL expressions
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = {
      {"smallint", {"-32768", "1"}},
      {"integer", {"2147483647", "-1"}},
      {"bigint", {"-9223372036854775808", "9007199254740993"}},
      {"numeric",
       {"'NaN'", "1.0", "1.00", "1", "repeat('7', 1000)::numeric",
        "('0.' || repeat('3', 1000))::numeric", "1e-300"}},
      {"numeric(12,2)", {"1", "-0.01", "'NaN'"}},
      {"numeric(1000,500)", {"(repeat('8', 500) || '.' || repeat('9', 500))::numeric"}},
      {"real",
       {"0.1", "'-0'", "0", "'NaN'", "'Infinity'", "3.4028235e38", "1e-45", "16777217",
        "1.00000012"}},
      {"double precision",
       {"0.1", "0.1::float8 + 0.2::float8", "'-0'", "0", "5e-324", "'-Infinity'", "1e23"}},
      {"boolean", {"true", "false"}},
      {"text",
       {"''", "' '", "'NULL'", "'a,b'", "'\"q\"'", "'back\\slash'", "'(x)'", "E'\\n\\t\\r'",
        "'größe 日本 😀'", "'a\"\"b'", "repeat('long ', 5000)", "'\\\"'", "'{}'"}},
      {"varchar(20)", {"'x '", "'y'"}},
      {"char(5)", {"'ab'", "'     '"}},
      {"bpchar", {"'ab   '::text::bpchar", "'ab'", "'ab '::text::bpchar"}},
      {"name", {"'n'", "'1'"}},
      {"\"char\"", {"'a'", "''", "'\"'"}},
      {"bytea", {"'\\x00ff'", "''", "decode(repeat('5c22', 3000), 'hex')", "E'\\\\\\\\'::bytea"}},
      {"date", {"'infinity'", "'-infinity'", "'0044-03-15 BC'", "'2024-02-29'", "'5874897-12-31'"}},
      {"time", {"'24:00'", "'00:00:00.000001'"}},
      {"timetz", {"'12:00+05:30'", "'12:00-03'"}},
      {"timestamp",
       {"'infinity'", "'4713-01-01 00:00:00 BC'", "'2024-10-27 02:30:00.123456'",
        "'294276-12-31 23:59:59'"}},
      {"timestamptz",
       {"'-infinity'", "'0044-03-15 12:00 BC'", "'2024-10-27 00:30:00+00'",
        "'2024-10-27 01:30:00+00'", "'1883-11-18'"}},
      {"interval",
       {"'1 month'", "'30 days'", "'720 hours'", "'-1 year 2 mons -3 days 04:05:06.789'", "'0'",
        "'1 day -1s'"}},
      {"json", {"'{\"a\":1,  \"a\" : 2}'", "'[1,\n2]'", "'\"x\"'", "'null'", "'1e400'"}},
      {"jsonb",
       {"'{\"b\":1.0,\"a\":1.00}'", "'{\"b\":1.00,\"a\":1.0}'", "'null'", "'[]'", "'1e400'"}},
      {"jsonpath", {"'$.a[*] ? (@ > 1)'", "'lax $'"}},
      {"uuid", {"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"}},
      {"inet", {"'10.0.0.1'", "'10.0.0.1/8'", "'::1'", "'2001:db8::/32'"}},
      {"cidr", {"'10.0.0.0/8'"}},
      {"macaddr", {"'08:00:2b:01:02:03'"}},
      {"macaddr8", {"'08:00:2b:01:02:03:04:05'"}},
      {"bit(5)", {"B'10101'"}},
      {"bit varying", {"B''", "B'1'", "B'01'", "repeat('10', 700)::bit varying"}},
      {"tsvector", {"'a fat cat:3A'", "$$'it''s' 'x,y':1$$", "''"}},
      {"tsquery", {"'fat & !cat:*'"}},
      {"xml", {"'<a>x</a>'", "'text'"}},
      {"money", {"'-12.34'", "'99999999999.99'"}},
      {"point", {"'(0.1,2)'", "'(1e300,-0)'"}},
      {"polygon", {"'((0,0),(1,0.1),(1,1))'"}},
      {"box", {"'(1,1),(0,0)'"}},
      {"path", {"'[(0,0),(1,1)]'"}},
      {"circle", {"'<(0,0),1.5>'"}},
      {"line", {"'{1,2,3}'"}},
      {"lseg", {"'[(0,0),(1,0.3)]'"}},
      {"int4range", {"'[1,5)'", "'empty'", "'(,)'"}},
      {"numrange", {"'[1.0,1.00]'", "'[1,1]'"}},
      {"tstzrange", {"'[2024-01-01,infinity]'", "'(,2024-10-27 01:30+00)'"}},
      {"tsrange", {"'[2024-01-01 10:00,2025-01-01)'"}},
      {"daterange", {"'[2024-01-01,2025-01-01)'"}},
      {"int4[]",
       {"'{}'", "'{1,NULL,3}'", "'[0:2]={1,2,3}'", "'[-1:0][2:3]={{1,2},{3,4}}'", "'{{1,2},{3,4}}'",
        "array[NULL]::int[]"}},
      {"text[]", {"array['', 'NULL', null, 'a,b', '\"', '\\', '{}']", "'{}'", "array[' x ']"}},
      {"float8[]", {"'{0.1,-0,NaN}'", "array[0.1::float8 + 0.2::float8]"}},
      {"timestamptz[]", {"array['2024-10-27 00:30+00'::timestamptz, 'infinity']"}},
      {"numeric[]", {"'{1.0,1.00,NaN}'"}},
      {"bytea[]", {"array['\\x00'::bytea]"}},
      {"interval[]", {"array['1 mon'::interval, '30 days']"}},
      {"point[]", {"array['(1,0.1)'::point]"}},
      {"oid", {"4294967295", "0"}},
      {"regclass", {"'pg_class'", "'samples'"}},
      {"regtype", {"'integer'", "'mood'"}},
      {"regproc", {"'now'"}},
      {"xid", {"'7'"}},
      {"xid8", {"'18446744073709551615'"}},
      {"pg_lsn", {"'16/B374D848'"}},
      {"tid", {"'(3,4)'"}},
      {"txid_snapshot", {"'10:20:10,14'"}},
      {"int2vector", {"'1 2 3'"}},
      {"mood", {"'sad'", "'it''s ok'", "'Größe, x'"}},
      {"mood[]", {"array['sad','ok']::mood[]"}},
      {"pair", {"row(1, 'a,\"b')", "row(null, null)", "row(null, '')", "row(0.1, 'x')::pair"}},
      {"pair[]", {"array[row(1,'x')::pair, null]"}},
      {"nested", {"row(row(0.5,'in')::pair, '2024-10-27 01:30+00', array[1.5::float4])"}},
      {"positive", {"1", "2.50"}},
      {"needed", {"'a'", "'b'"}},
      {"deep", {"'c'", "'d'"}},
      {"moment", {"'2024-10-27 01:30:00+00'", "'infinity'"}},
      {"floats", {"'{0.1,2}'", "'{-0}'"}},
      {"floatrange", {"'[0.1,0.30000000000000004)'", "'empty'"}},
      {"hstore", {"'a=>1, \"b c\"=>NULL'", "''"}},
      {"citext", {"'Case'", "'case'", "'CASE'"}},
      {"caseless", {"'Case'", "'case'"}},
      {"ltree", {"'Top.Science'"}},
  };
  return all;
}

constexpr const char* kTypes = R"(
  create extension hstore; create extension citext; create extension ltree;
  create type mood as enum ('sad', 'ok', 'it''s ok', 'Größe, x');
  create type pair as (n float8, t text);
  create type nested as (p pair, at timestamptz, f float4[]);
  create domain positive as numeric check (value > 0);
  create domain needed as text not null;
  create domain deep as needed check (length(value) < 10);
  create domain moment as timestamptz;
  create domain floats as float8[];
  create type floatrange as range (subtype = float8);
  create collation nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  create domain caseless as text collate nocase;
  create table samples ();
)";

// A table of one column of the type and of all others; each value inserted, each changed into each other, to NULL.
TEST(PostgresCaptureTypes, EveryTypeUnderEverySetting) {
  PgShop shop;
  PgSession& s = shop.admin;
  s.run(kTypes);
  std::vector<std::string> tables;
  std::vector<Sample> all = samples();
  if (s.db().version() >= 140000) {
    all.push_back({"int4multirange", {"'{[1,3),[5,9)}'", "'{}'"}});
    all.push_back({"tstzmultirange", {"'{[2024-01-01,2024-10-27 01:30+00)}'"}});
    all.push_back({"numeric", {"'Infinity'", "'-Infinity'"}});
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    tables.push_back("public.t" + std::to_string(i));
    s.run("create table " + tables[i] + " (id int primary key, v " + all[i].type + ", w text)");
    s.run("select vestige.track('" + tables[i] + "')");
  }
  const std::vector<std::string> settings = {
      "reset all",
      "set timezone = 'America/New_York'; set datestyle = 'SQL, DMY'; set intervalstyle = "
      "'iso_8601'; "
      "set extra_float_digits = 0; set bytea_output = 'escape'; set quote_all_identifiers = on",
      "set timezone = 'Asia/Kolkata'; set datestyle = 'German, DMY'; set intervalstyle = "
      "'sql_standard'; "
      "set extra_float_digits = -15; set search_path = pg_temp, public",
      "set timezone = '<+03>-3'; set datestyle = 'Postgres, MDY'; set intervalstyle = "
      "'postgres_verbose'; "
      "set extra_float_digits = 3; set xmlbinary = hex"};
  int id = 0;
  for (std::size_t round = 0; round < settings.size(); ++round) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::string& table = tables[i];
      const bool needs = std::string(all[i].type) == "needed" || std::string(all[i].type) == "deep";
      s.run("set xmloption = content; set timezone = 'UTC'; set datestyle = 'ISO, YMD'");
      std::string changes;
      for (const char* value : all[i].values) {
        const std::string number = std::to_string(++id);
        const std::string typed = "(" + std::string(value) + ")::" + all[i].type;
        changes += "insert into " + table + " values (" + number + ", " + typed + ", 'x');";
        changes += "update " + table + " set w = 'y' where id = " + number + ";";
        for (const char* other : all[i].values)
          changes += "update " + table + " set v = (" + other + ")::" + all[i].type +
                     " where id = " + number + ";";
        if (!needs) {
          changes += "update " + table + " set v = null where id = " + number + ";";
          changes += "update " + table + " set v = " + typed + " where id = " + number + ";";
        }
        if (round == 1) changes += "delete from " + table + " where id = " + number + ";";
      }
      s.run(settings[round]);
      ASSERT_EQ(s.error(changes), "") << all[i].type << " round " << round;
      ASSERT_EQ(shop.replayed(table), "") << all[i].type << " round " << round;
    }
  }
}

TEST(PostgresCaptureTypes, EveryTypeAsAKeyAndWithoutOne) {
  PgShop shop;
  PgSession& s = shop.admin;
  s.run(kTypes);
  for (const Sample& sample : samples()) {
    const std::string type = sample.type;
    s.run("reset all; drop table if exists bare cascade; create table bare (v " + type +
          ", n int)");
    s.run("select vestige.track('bare')");
    const bool keyed = s.error("create table keyed (v " + type + " primary key, n int)").empty();
    const std::string tables = keyed ? "keyed" : "";
    if (keyed) s.run("select vestige.track('keyed')");
    for (std::string table : {std::string("bare"), tables}) {
      if (table.empty()) continue;
      s.run(
          "set timezone = 'America/New_York'; set extra_float_digits = 0; set intervalstyle = "
          "'iso_8601'");
      int n = 0;
      for (const char* value : sample.values)  // equal ones are refused by a key
        s.error("insert into " + table + " values ((" + value + ")::" + type + ", " +
                std::to_string(++n) + ")");
      s.run("update " + table + " set n = n + 10");
      s.error("update " + table + " set v = (" + std::string(sample.values[0]) + ")::" + type +
              " where n = 12");
      s.run("update " + table + " set n = null where n = 11");
      ASSERT_EQ(shop.replayed("public." + table), "") << type << " " << table;
      s.run("delete from " + table);
      ASSERT_EQ(shop.replayed("public." + table), "") << type << " " << table;
    }
    if (keyed) s.run("drop table keyed");
  }
}

TEST(PostgresCaptureTypes, LargeValuesThatAreNotTouchedAreNotRead) {
  PgShop shop;
  PgSession& s = shop.admin;
  s.run(
      "create table docs (id int primary key, body text, n int); alter table docs alter body set "
      "storage external");
  s.run("select vestige.track('docs')");
  s.run(
      "insert into docs select i, repeat(i::text || ' page ', 20000), 0 from generate_series(1, 3) "
      "i");
  const auto size = [&] {
    return std::stoll(
        s.one("select sum(pg_total_relation_size(inhrelid))::text from pg_inherits "
              "where inhparent = 'vestige.change'::regclass"));
  };
  const auto before = size();
  for (int i = 0; i < 50; ++i) s.run("update docs set n = n + 1");
  EXPECT_LT(size() - before, 100'000);
  s.run("update docs set body = body || 'x' where id = 2");
  EXPECT_EQ(shop.replayed("public.docs"), "");
}

}  // namespace
}  // namespace vestige
