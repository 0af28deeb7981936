// The settings of a session change neither what is recorded nor what readers make of it (sql/postgres/install/pins.sql).
#include "test/postgres_capture.h"

namespace vestige {
namespace {

constexpr const char* kOdd =
    "set timezone = 'Asia/Kolkata'; set datestyle = 'SQL, DMY'; set intervalstyle = "
    "'sql_standard'; "
    "set extra_float_digits = -15; set bytea_output = 'escape'; set lc_monetary = 'C'; "
    "set quote_all_identifiers = on; set xmloption = document; set array_nulls = off";

class PostgresPinned : public testing::Test {
 protected:
  void SetUp() override {
    s.run(
        "set timezone = 'UTC'; create table t (id int primary key, f float8, fs float8[], d date, "
        "ts timestamptz, tss timestamptz[], i interval, b bytea, m money, r regclass, x xml, n "
        "text[], c int[]); select vestige.track('t'); "
        "insert into t values (1, 0.1::float8 + 0.2::float8, array[0.1::float8 + 0.2::float8], "
        "'2024-02-01', '2024-02-01 10:00', array[timestamptz '2024-02-01 10:00'], '-1 year 2 mons "
        "-3 days', '\\x005c', 12.5, 'pg_class', 'text, <a/>', array['NULL', null], '{1,NULL}'); "
        "update t set f = 1, fs = '{1}', d = '2025-02-01', ts = now(), tss = '{}', i = '0', b = "
        "'', m = 0, r = 'pg_proc', x = '', n = '{}', c = '{}'");
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresPinned, ReadersSayTheSameInEverySession) {
  const std::vector<std::string> readers = {
      "select string_agg(old_values::text || coalesce(new_values::text, ''), '') from "
      "vestige.changes where op = 'UPDATE'",
      "select string_agg(h.old_values::text, '') from vestige.history('t', '1') h",
      "select string_agg(value::text, '') from vestige.blame('t', '1')",
      "select vestige.live_row(1, '1')::text",
      "select vestige.key_json(1, vestige.key_text(1, array['1']))::text",
      "select to_json(f)::text || to_json(fs)::text || extract(epoch from ts)::text || (d - date "
      "'2000-01-01')::text || extract(epoch from i)::text || encode(b, 'hex') || m::numeric::text "
      "|| r::oid::text || x::text || (n[2] is null)::text || (c[2] is null)::text from "
      "vestige.as_of_change(null::t, (select min(id) from vestige.change))"};
  PgSession odd = shop.connect();
  odd.run(kOdd);
  odd.run("set timezone = 'UTC'; set extra_float_digits = 1");  // what prints the answers
  for (const std::string& reader : readers) EXPECT_EQ(odd.one(reader), s.one(reader)) << reader;
}

TEST_F(PostgresPinned, UndoneInAnySessionARowIsWhatItWas) {
  const std::string print = "select t::text from t";
  s.run("set extra_float_digits = 1");
  const auto changed = s.one(print);
  s.run("select vestige.revert(tx) from vestige.changes where op = 'UPDATE'");
  const auto before = s.one(print);
  EXPECT_NE(before, changed);
  PgSession odd = shop.connect();
  odd.run(kOdd);
  odd.run("select vestige.revert(tx) from vestige.changes order by id desc limit 1");
  EXPECT_EQ(s.one(print), changed);
  odd.run("select vestige.undo(max(id)) from vestige.change");
  EXPECT_EQ(s.one(print), before);
  EXPECT_EQ(shop.replayed("public.t"), "");
}

// What makes statements of a row's columns prints or reads values; so does what casts to the type of one.
TEST_F(PostgresPinned, EveryFunctionThatPrintsOrReadsValues) {
  const auto rows = s.table(
      "select proname::text, coalesce(array_to_string(proconfig, ' '), '') from pg_proc where "
      "pronamespace = 'vestige'::regnamespace and proname !~ '^(capture|insert)_[0-9]+$' and "
      "prosrc "
      "~ '\\mexecute (format|past|vestige)' and prosrc ~ "
      "'(e|r|[)])[.](old|new)_row|value_expression|::%s|plain_type|past_table|q ->> ''source''' "
      "and proname not in ('insert_source', 'inserted_large', 'latest_columns') order by 1");
  std::string names;
  for (const auto& row : rows) {
    names += *row[0] + " ";
    for (const char* setting :
         {"TimeZone=UTC", "DateStyle=ISO, YMD", "IntervalStyle=postgres", "extra_float_digits=1",
          "bytea_output=hex", "lc_monetary=C", "quote_all_identifiers=off", "xmloption=content",
          "array_nulls=on", "search_path=pg_catalog, pg_temp"})
      EXPECT_NE((" " + *row[1] + " ").find(std::string(" ") + setting + " "), std::string::npos)
          << *row[0] << " " << setting;
  }
  EXPECT_EQ(
      names,
      "as_of as_of_change baseline_rows capture_large capture_truncate cast_json key_text live_row "
      "next_change record_part standing_row undo_amiss undo_apply undo_besides undo_goal undo_look "
      "undo_spares write_large ");
  // No mark is left without its settings.
  EXPECT_EQ(s.one("select count(*)::text from pg_proc where prosrc ~ '-- pinned: ' and "
                  "not coalesce(proconfig::text ~* '(timezone|quote_all)', false)"),
            "0");
}

}  // namespace
}  // namespace vestige
