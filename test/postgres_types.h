// Every type that a table of a PostgreSQL server can have, each with the values that are odd.
#pragma once

#include <vector>

namespace vestige {

struct TypeSample {
  const char* type;
  std::vector<const char*> values;  // SQL expressions
};

inline const std::vector<TypeSample>& samples() {
  static const std::vector<TypeSample> all = {
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
      {"int2vector", {"'1 2 3'", "''"}},
      {"oidvector", {"'1 4294967295'"}},
      {"cid", {"'5'"}},
      {"aclitem", {"'postgres=r*w/postgres'", "'=r/postgres'"}},
      {"refcursor", {"'c 1'"}},
      {"pg_snapshot", {"'10:20:10,14'"}},
      {"regprocedure", {"'now()'", "'left(text, int)'"}},
      {"regoper", {"'||/'"}},
      {"regoperator", {"'=(int4,int4)'"}},
      {"regcollation", {"'\"C\"'"}},
      {"regrole", {"'postgres'"}},
      {"regnamespace", {"'pg_catalog'"}},
      {"regconfig", {"'simple'"}},
      {"regdictionary", {"'simple'"}},
      {"int8range", {"'[-9223372036854775808,1)'", "'empty'"}},
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

/// The same, and what servers from 14 on have besides.
inline std::vector<TypeSample> samples_of(int version) {
  std::vector<TypeSample> all = samples();
  if (version >= 140000) {
    all.push_back({"int4multirange", {"'{[1,3),[5,9)}'", "'{}'"}});
    all.push_back({"int8multirange", {"'{[1,3),[5,)}'"}});
    all.push_back({"nummultirange", {"'{[1.0,1.00],(2,3)}'"}});
    all.push_back({"datemultirange", {"'{[2024-01-01,infinity)}'"}});
    all.push_back({"tsmultirange", {"'{(,2024-01-01 10:00)}'"}});
    all.push_back({"tstzmultirange", {"'{[2024-01-01,2024-10-27 01:30+00)}'"}});
    all.push_back({"numeric", {"'Infinity'", "'-Infinity'"}});
  }
  if (version >= 170000) all.push_back({"interval", {"'infinity'", "'-infinity'"}});
  return all;
}

inline constexpr const char* kTypes = R"(
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

}  // namespace vestige
