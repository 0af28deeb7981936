// Whatever an ordinary user may set in a session, with each value that the server takes: writes are recorded as ever, DDL
// is taken up, and every function of the trail answers the same.
#include <map>
#include <set>

#include "test/postgres_capture.h"

namespace vestige {
namespace {

struct Setting {
  std::string name;
  std::string value;
};

// What is tried where the server does not say which values there are; it refuses those that are none.
constexpr std::string_view kWords =
    "|'|\\|Asia/Kolkata|-12:34:56|SQL, DMY|German|Postgres, MDY|LATIN1|EUC_JP|all|public|pg_temp";

// These ask for writes, or for whatever goes wrong, to be refused.
const std::set<std::string> kRefusals = {"default_transaction_read_only", "transaction_read_only",
                                         "exit_on_error"};

class PostgresSettings : public testing::Test {
 protected:
  PostgresSettings() {
    shop.admin.run(
        "create table public.p (id int primary key, n int default 0, s text, f float8, d date, ts "
        "timestamptz, i interval, b bytea, j jsonb, a text[]); "
        "create table public.\"odd \"\"one\" (k text, \"order\" int, v text, primary key (k, "
        "\"order\")); create table public.w (id int primary key, v text); "
        "create function public.bump() returns trigger language plpgsql as $$ begin "
        "update public.p set n = n + 1 where id = new.id; return null; end $$; "
        "create trigger bump after insert on public.p for each row execute function public.bump(); "
        "select vestige.track('public.p'); select vestige.track('public.\"odd \"\"one\"'); "
        "begin; insert into public.p (id, s) values (100, 'before'), (101, 'before'); commit; "
        "begin; update public.p set s = 'after', f = 0.1; insert into public.p (id) values (102); "
        "commit");
  }

  // Settings by name, each with the values that the server takes.
  std::map<std::string, std::vector<std::string>> every() {
    PgSession session(shop.database.url());
    session.run("do 'begin end'");  // PL/pgSQL has settings too, once it is loaded
    std::map<std::string, std::vector<std::string>> out;
    for (const auto& row : session.table(
             "select s.name, v.value from pg_settings s cross join lateral (select unnest("
             "case s.vartype when 'bool' then '{on,off}'::text[] when 'enum' then s.enumvals "
             "when 'string' then string_to_array($words$" +
             std::string(kWords) +
             "$words$, '|') else array[s.min_val, s.max_val] end) as value) v "
             "where s.context = 'user' order by 1, 2")) {
      if (kRefusals.contains(*row[0])) continue;
      const std::string value = row[1].value_or("");
      if (session.error(set(*row[0], value)).empty()) out[*row[0]].push_back(value);
    }
    return out;
  }

  static std::string set(const std::string& name, const std::string& value) {
    return "select pg_catalog.set_config($n$" + name + "$n$, $v$" + value + "$v$, false)";
  }

  // What comes of a day's work in a session with these settings.
  std::string outcome(const std::vector<Setting>& settings) {
    PgSession session(shop.database.url());
    session.run("do 'begin end'");
    for (const Setting& one : settings) session.error(set(one.name, one.value));
    const std::string problem = session.error(std::string(kWork));
    if (!problem.empty()) return problem;
    try {
      const std::string read = session.one(std::string(kAnswers));
      return read + session.one(std::string(kLast));
    } catch (const std::runtime_error& error) {
      return std::string(error.what()).substr(0, 200);
    }
  }

  static constexpr std::string_view kWork = R"(begin;
    select vestige.revert(max(x.tx)) from vestige.context x;
    select vestige.set_context(E'{"actor": "ann", "reason": "it''s \\\\ \\"so\\""}');
    insert into public.p (id, s, f, d, ts, i, b, j, a) values (1, E'a\\b "c", (d) ''e''', 0.1::float8 + 0.2::float8,
      date '2024-02-01', timestamptz '2024-02-01 10:00:00.5+00', interval '1 month -2 days', decode('005cff', 'hex'),
      '{"x": [1, null]}', array['NULL', null, E'\\']), (2, '', null, null, null, null, null, null, '{}');
    update public.p set s = chr(233) || chr(10), n = n + 1;
    insert into public."odd ""one" values (E'a,"\\', 1, 'x'), ('b', 2, null);
    update public."odd ""one" set k = k || 'z', v = 'y';
    alter table public.p add column extra text default 'e';
    update public.p set extra = 'f' where id = 1;
    delete from public.p where id = 2;
    alter table public.p rename column extra to "more";
    update public.p set "more" = null where id = 1;
    truncate public."odd ""one";
    select vestige.track('public.w', "when" => 'new.id > 1', require => '{actor}');
    insert into public.w values (1, 'a'), (2, 'b') /*actor='bob'*/;
    select vestige.untrack('public.w');
    select vestige.maintain(1);
    select vestige.mend())";

  static constexpr std::string_view kAnswers = R"(select pg_catalog.convert_to(concat_ws('|',
    (select string_agg(concat_ws(',', c.op, c.key, c.new_key, c.old_values, c.new_values, c.changed_fields, c.context), ';'
                       order by c."table", c.key::text, c.id) from vestige.changes c),
    (select string_agg(concat_ws(',', f.severity, f.code, f.message, f.remedy), ';' order by f.code, f.message)
     from vestige.doctor() f where f.code not in ('ddl', 'owner')),
    (select string_agg(concat_ws(',', h.old_values, h.new_values, h.reason), ';' order by h.id)
     from vestige.history('public.p', '1') h),
    (select string_agg(concat_ws(',', h.record_id, h.key, h.new_key), ';' order by h.id)
     from vestige.history('public."odd ""one"', E'a,"\\z', '1') h),
    (select string_agg(concat_ws(',', b."column", b.value, b.action), ';' order by b."column") from vestige.blame('public.p', '1') b),
    (select string_agg(concat_ws(',', o.id, o.n, o.s), ';' order by o.id)
     from vestige.as_of_change(null::public.p, (select min(c.id) from vestige.change c where c.key = '1')) o),
    (select string_agg(x.printed, ';') from vestige.tracked t, lateral (select vestige.live_row(t.id, '1')::text as printed) x
     where t.table_name = 'p'),
    vestige.key_json(1, vestige.key_text(1, array['1'])),
    (select string_agg(concat_ws(',', a.action, a.record_id, a.old_values, a.new_values), ';' order by a.table_name, a.record_id, a.id)
     from vestige.audit_log a),
    (select string_agg(concat_ws(',', o.id, o.n, o.s, encode(float8send(o.f), 'hex')), ';' order by o.id) from public.p o),
    (select string_agg(r.relname || extract(epoch from p.from_at), ';') from vestige.partitions() p join pg_catalog.pg_class r on r.oid = p.relation)), 'UTF8')
  )";

  static constexpr std::string_view kLast =
      R"(select concat_ws('|', u.done, u.conflict, u.statement,
    (select count(*) from vestige.erase_changes(array(select c.id from vestige.change c where c.key = '2'), true, true)))
    from vestige.undo((select max(c.id) from vestige.change c where c.key = '1' and c.op = 'U'), true) u)";

  PgShop shop;
};

// A plain literal with a backslash means something else where standard_conforming_strings is off; a character that is not
// ASCII cannot be installed in every database.
TEST(PostgresInstall, IsAsciiAndHasNoBackslashInAPlainLiteral) {
  for (const std::string_view script :
       {vestige::sql::postgres::install, vestige::sql::postgres::native,
        vestige::sql::postgres::remove}) {
    bool quoted = false;
    bool comment = false;
    bool escapes = false;
    std::size_t closed = 0;
    for (std::size_t i = 1; i < script.size(); ++i) {
      const char c = script[i];
      const std::string around(script.substr(i < 40 ? 0 : i - 40, 80));
      ASSERT_GT(c, 0) << around;
      if (comment) comment = c != '\n';
      else if (!quoted && c == '-' && script[i - 1] == '-') comment = true;
      else if (c == '\'') {
        const std::string_view between = script.substr(closed + 1, i - closed - 1);
        // Doubled, or on the next line: the same literal goes on.
        const bool goes_on = between.find_first_not_of(" \n") == std::string_view::npos &&
                             (between.empty() || between.find('\n') != std::string_view::npos);
        if (!quoted && !goes_on) escapes = script[i - 1] == 'E';
        if (quoted) closed = i;
        quoted = !quoted;
      } else if (quoted && c == '\\') {
        ASSERT_TRUE(escapes) << around;
        ++i;  // what is escaped
      }
    }
  }
}

// All settings at once, each with its first value, each with its second, and so on; then those of a round that fails one
// by one, to name the culprit.
TEST_F(PostgresSettings, WhateverAUserMaySet) {
  const std::string expected = outcome({});
  ASSERT_EQ(expected.find("run sql"), std::string::npos) << expected;
  const auto settings = every();
  EXPECT_GT(settings.size(), 100U);
  std::size_t rounds = 0;
  for (const auto& [name, values] : settings) rounds = std::max(rounds, values.size());
  // Not with costs beyond all measure: everything would be compiled, for minutes.
  for (const char* compiled : {"off", "on"}) EXPECT_EQ(outcome({{"jit", compiled}}), expected);
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<Setting> all;
    for (const auto& [name, values] : settings)
      if (name != "jit") all.push_back({name, values[round % values.size()]});
    all.push_back({"jit", "off"});
    const std::string found = outcome(all);
    if (found == expected) continue;
    ADD_FAILURE() << "in round " << round << "\n" << found << "\n" << expected;
    for (const Setting& one : all)
      EXPECT_EQ(outcome({one}), expected) << one.name << " = '" << one.value << "'";
  }
}

}  // namespace
}  // namespace vestige
