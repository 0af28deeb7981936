// A table under every spelling that PostgreSQL itself takes for it: to_regclass says which table that is.
#include <gtest/gtest.h>

#include "test/postgres_capture.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/live_table.h"
#include "vestige/trail/postgres/names.h"

namespace vestige {
namespace {

class PostgresTableNames : public ::testing::Test {
 protected:
  PostgresTableNames() {
    // Every keyword of the server, and what else a name may be made of, in three schemas.
    s.run(R"(
      create schema hr; create schema "H.R"; create table word (t text);
      insert into word select word from pg_get_keywords();
      insert into word values ('plain'), ('Capital'), ('with space'), ('a.b'), ('hr.plain'), ('q"q'), ('"quoted"'),
        ('größe'), ('$1'), ('1st'), ('x''y'), ('back\slash'), (repeat('l', 63)), (repeat('é', 31)), ('100%'), ('%I'),
        ('H.R.plain'), ('new
line');
      select count(*) from (select set_config('search_path', 'pg_catalog', true)) p;
      do $$ declare w text; n text; begin
        for w in select t from public.word loop
          foreach n in array array['public', 'hr', 'H.R'] loop
            continue when n <> 'public' and w ~ '^[a-z_]+$' and hashtext(w) % 16 <> 0 and w <> 'plain';
            execute format('create table if not exists %I.%I (id int)', n, w);
          end loop;
        end loop; end $$)");
  }

  std::string meant(const std::string& typed) {
    return meant_table(s.db(), typed).value().value_or("nothing");
  }

  PgShop shop_;
  PgSession& s = shop_.admin;
};

TEST_F(PostgresTableNames, EverySpellingThatPostgresTakesIsTaken) {
  int spellings = 0;
  for (const auto& row : s.table(R"(
      select spelling, vestige.shown_name(n.nspname, c.relname), n.nspname, c.relname
      from (select n.nspname as schema, t as name,
              unnest(array[format('%I.%I', n.nspname, t),
                format('"%s"."%s"', replace(n.nspname, '"', '""'), replace(t, '"', '""')),
                format(' %I . %I ', n.nspname, t), format('%I.%I.%I', current_database(), n.nspname, t),
                regexp_replace(format('%I.%I', n.nspname, t), '^([a-z_]+)\.([a-z_]+)$', upper('\1') || '.\2'),
                case when format('%I.%I', n.nspname, t) !~ '"' then upper(format('%I.%I', n.nspname, t)) end,
                case when n.nspname = 'public' then format('%I', t) end,
                case when n.nspname = 'public' then '"' || replace(t, '"', '""') || '"' end]) as spelling
            from word, pg_namespace n where n.nspname in ('public', 'hr', 'H.R')) s
        join pg_class c on c.oid = to_regclass(s.spelling) join pg_namespace n on n.oid = c.relnamespace)")) {
    EXPECT_EQ(meant(*row[0]), *row[1]) << *row[0];
    EXPECT_EQ(postgres::shown(*row[1]), (postgres::Reading{"", *row[2], *row[3]})) << *row[1];
    ++spellings;
  }
  EXPECT_GE(spellings, 4000);
}

TEST_F(PostgresTableNames, NoTwoTablesAreShownAlikeAndEachIsFoundAsItIsShown) {
  const auto all = s.table(
      "select vestige.shown_name(n.nspname, c.relname), c.oid::text from pg_class c join "
      "pg_namespace n"
      " on n.oid = c.relnamespace where n.nspname in ('public', 'hr', 'H.R') and c.relkind = 'r'");
  std::set<std::string> shown;
  for (const auto& row : all) {
    EXPECT_TRUE(shown.insert(*row[0]).second) << *row[0];
    EXPECT_EQ(meant(*row[0]), *row[0]);
    EXPECT_EQ(live_table(s.db(), *row[0]).value().columns.size(), 1U) << *row[0];
  }
  EXPECT_GE(shown.size(), 500U);
}

TEST_F(PostgresTableNames, WithoutASchemaTheSearchPathDecidesAndThenPublic) {
  EXPECT_EQ(meant("plain"), "plain");
  s.run("create table hr.mine (); create table \"H.R\".mine (); set search_path = hr, public");
  EXPECT_EQ(meant("mine"), "hr.mine");
  EXPECT_EQ(meant("plain"), "hr.plain");
  EXPECT_EQ(meant("public.plain"), "plain");
  s.run("set search_path = \"H.R\"");
  EXPECT_EQ(meant("mine"), "\"H.R\".mine");
  EXPECT_EQ(meant("PLAIN"), "\"H.R\".plain");
  EXPECT_EQ(meant("word"), "word");
  EXPECT_EQ(meant("other.hr.plain"), "nothing");
  EXPECT_EQ(meant("no_such"), "nothing");
}

TEST_F(PostgresTableNames, AnotherTableIsNeverProposedInPlaceOfOneThatIsThere) {
  s.run("select vestige.track('plain'); create table plains ()");
  for (const char* typed : {"hr.plain", "plains", "\"H.R\".plain", "Plains"}) {
    const auto error = tracked_table(s.db(), typed).error();
    EXPECT_EQ(error.hint, "vestige track " + meant(typed) + " starts to record it") << typed;
  }
  EXPECT_EQ(tracked_table(s.db(), "plainn").error().hint, "did you mean plain?");
  s.run("drop table plain");  // its history stays, under its name
  EXPECT_EQ(tracked_table(s.db(), "public.Plain").value().name, "plain");
}

}  // namespace
}  // namespace vestige
