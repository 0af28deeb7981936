// doctor on PostgreSQL: what it finds, what it says, what it mends.
#include "test/postgres_capture.h"
#include "test/tracked_shop.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/status.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

class PostgresDoctor : public testing::Test {
 protected:
  void SetUp() override {
    s.run(
        "create table t (id int primary key, x int, y text); select vestige.track('t'); "
        "insert into t values (1, 1, 'a')");
  }
  // What doctor finds, as "code table" or "code table fixed"; notes are left out unless asked for.
  std::vector<std::string> found(bool fix = false, bool notes = false) {
    std::vector<std::string> out;
    const auto findings = doctor(s.db(), fix);
    EXPECT_TRUE(findings.has_value()) << findings.error().message;
    if (!findings.has_value()) return out;
    for (const Finding& one : *findings) {
      if (one.severity == Severity::note && !notes) continue;
      out.push_back(one.code + (one.table.empty() ? "" : " " + one.table) +
                    (one.fixed ? " fixed" : ""));
      last_message = one.message;
    }
    return out;
  }
  std::string trouble() { return s.one("select coalesce(vestige.trouble(1), '')"); }
  using Codes = std::vector<std::string>;

  PgShop shop;
  PgSession& s = shop.admin;
  std::string last_message;
};

TEST_F(PostgresDoctor, AllIsWell) {
  EXPECT_EQ(found(), Codes{});
  EXPECT_EQ(found(true), Codes{});
  EXPECT_EQ(trouble(), "");
}

TEST_F(PostgresDoctor, StatusNamesATableThatIsTrackedNoMore) {
  EXPECT_EQ(must(status(s.db())).untracked, Codes{});
  s.run("select vestige.untrack('t')");
  const Status read = must(status(s.db()));
  EXPECT_EQ(read.untracked, Codes{"t"});
  ASSERT_EQ(read.tables.size(), 1U);
  EXPECT_TRUE(read.tables[0].table.untracked_at.has_value());
  EXPECT_EQ(read.tables[0].changes, 1);
  EXPECT_TRUE(read.tables[0].intact);
}

TEST_F(PostgresDoctor, TriggersMissingDisabledOrAltered) {
  s.run("drop trigger " + insert_trigger() + " on t");
  EXPECT_EQ(found(), Codes{"triggers-missing t"});
  EXPECT_EQ(trouble(), "triggers missing");
  EXPECT_EQ(found(true), Codes{"triggers-missing t fixed"});
  s.run("alter table t disable trigger user");
  EXPECT_EQ(trouble(), "triggers disabled");
  EXPECT_EQ(found(true), (Codes{"gap t fixed", "triggers-disabled t fixed"}));
  s.run("alter table t enable trigger \"0_vestige_change\"");  // put right at once
  EXPECT_EQ(found(true), Codes{});
  s.run(
      "alter event trigger vestige_ddl_end disable; alter table t enable trigger "
      "\"0_vestige_change\"; alter event trigger vestige_ddl_end enable always");
  EXPECT_EQ(found(true), Codes{"triggers-disabled t fixed"});
  s.run(
      "drop trigger \"0_vestige_change\" on t; create trigger \"0_vestige_change\" after update or "
      "delete on t for each row when (old.id > 100) execute function vestige.capture_1(); "
      "alter table t enable always trigger \"0_vestige_change\"");
  if (native_engine()) {  // that was its only one
    EXPECT_EQ(trouble(), "triggers missing, triggers altered");
    EXPECT_EQ(found(true), (Codes{"triggers-altered t fixed", "triggers-missing t fixed"}));
  } else {
    EXPECT_EQ(trouble(), "triggers altered");
    EXPECT_EQ(found(true), Codes{"triggers-altered t fixed"});
  }
  EXPECT_EQ(found(), Codes{});
  s.run("update t set x = 2");
  EXPECT_EQ(shop.replayed("public.t"), "");
  EXPECT_EQ(s.one("select string_agg(distinct note, '') from vestige.shape"), "");
}

TEST_F(PostgresDoctor, PartitionsOfATrackedTable) {
  s.run(
      "create table m (id int primary key) partition by range (id); create table m1 partition of m "
      "for values from (0) to (10); select vestige.track('m'); alter table m1 disable trigger "
      "\"0_vestige_change\"");
  EXPECT_EQ(found(), (Codes{"gap m", "triggers-disabled m"}));
  EXPECT_NE(last_message.find("0_vestige_change on public.m1"), std::string::npos);
  EXPECT_EQ(found(true), (Codes{"gap m fixed", "triggers-disabled m fixed"}));
  s.run("drop trigger \"0_vestige_truncate\" on m1");
  EXPECT_EQ(found(true), Codes{"triggers-missing m fixed"});
  EXPECT_EQ(found(), Codes{});
}

TEST_F(PostgresDoctor, FunctionsThatWereAltered) {
  s.run(
      "create or replace function vestige.capture_1() returns trigger language plpgsql security "
      "definer set search_path = pg_catalog, pg_temp as 'begin return null; end'");
  EXPECT_EQ(found(), Codes{"function-altered t"});
  EXPECT_NE(last_message.find("has another text"), std::string::npos);
  EXPECT_EQ(found(true), Codes{"function-altered t fixed"});
  s.run("alter function vestige." + std::string(native_engine() ? "capture_1" : "insert_1") +
        "() security invoker");
  EXPECT_EQ(found(), Codes{"function-altered t"});
  EXPECT_NE(last_message.find("rights of the trail's owner"), std::string::npos);
  EXPECT_EQ(found(true), Codes{"function-altered t fixed"});
  s.run("alter function vestige.capture_1() reset search_path");
  EXPECT_NE(found(), Codes{});
  EXPECT_NE(last_message.find("has other settings"), std::string::npos);
  EXPECT_EQ(found(true), Codes{"function-altered t fixed"});
  s.run("alter function vestige.capture_1() owner to " + shop.role("thief"));
  EXPECT_NE(found(), Codes{});
  EXPECT_NE(last_message.find("does not belong"), std::string::npos);
}

TEST_F(PostgresDoctor, TheTrailsOwnFunctionsAndGuards) {
  s.run(
      "create or replace function vestige.fields(printed text) returns text[] language sql as "
      "'select null::text[]'; create or replace view vestige.extra as select 1 as one");
  // It does not say any more that it only reads: readers lose it, until it is made anew.
  EXPECT_EQ(found(true), (Codes{"rights fixed", "rights fixed", "rights fixed", "trail-altered",
                                "trail-altered"}));
  s.run("drop view vestige.extra");
  const auto installed = install(s.db());
  ASSERT_TRUE(installed.has_value()) << installed.error().message;
  EXPECT_TRUE(*installed);
  EXPECT_EQ(found(), Codes{});
  EXPECT_FALSE(*install(s.db()));
  s.run(
      "alter table vestige.shape disable trigger append_only; drop trigger never_truncate on "
      "vestige.change_default; alter table vestige.change disable trigger append_only");
  EXPECT_FALSE(found().empty());
  for (const std::string& one : found(true)) EXPECT_EQ(one, "trail-altered fixed");
  EXPECT_EQ(found(), Codes{});
  EXPECT_NE(s.error("truncate vestige.change_default"), "");
  EXPECT_NE(s.error("delete from vestige.change"), "");
}

TEST_F(PostgresDoctor, RightsThatSomebodyElseHas) {
  const std::string thief = shop.role("thief");
  s.run("grant insert, delete on vestige.change to " + thief +
        "; grant usage on sequence vestige.change_id to " + thief);
  EXPECT_EQ(found(), (Codes{"rights", "rights"}));
  EXPECT_EQ(found(true), (Codes{"rights fixed", "rights fixed"}));
  EXPECT_EQ(found(), Codes{});
}

TEST_F(PostgresDoctor, TablesThatAreGoneOrHaveAnotherName) {
  s.run(
      "alter event trigger vestige_ddl_end disable; alter table t rename to u; create table t (a "
      "int)");
  EXPECT_EQ(found(), (Codes{"event-trigger", "table-renamed t"}));
  EXPECT_EQ(trouble(), "renamed to u");
  EXPECT_EQ(found(true), (Codes{"event-trigger", "table-renamed t fixed"}));
  s.run("alter event trigger vestige_ddl_end enable always");
  EXPECT_EQ(s.one("select table_name::text from vestige.tracked"), "u");
  s.run("drop table u");
  EXPECT_EQ(found(), Codes{"table-missing u"});
  EXPECT_EQ(trouble(), "table missing");
  EXPECT_EQ(found(true), Codes{"table-missing u"});
  const auto notes = found(false, true);
  EXPECT_EQ(notes.back(), "ddl");
  EXPECT_NE(last_message.find("which is tracked, was dropped by postgres"), std::string::npos);
}

TEST_F(PostgresDoctor, PoliciesThatNoLongerFit) {
  s.run("select vestige.track('t', exclude => '{y}', \"when\" => 'new.x > 0')");
  s.run("alter table t drop x, drop y");
  EXPECT_EQ(found(), (Codes{"policy-column t", "policy-when t"}));
  s.run("select vestige.track('t')");
  EXPECT_EQ(found(), Codes{});
}

TEST_F(PostgresDoctor, PartitionsOfTheTrail) {
  s.run(
      "do $$ declare p regclass; begin for p in select relation from vestige.partitions() "
      "loop execute format('drop table %s', p); end loop; end $$; insert into t values (2, 2)");
  EXPECT_EQ(found(), (Codes{"partition-ahead", "partition-default"}));
  EXPECT_EQ(found(true), (Codes{"partition-ahead fixed", "partition-default fixed"}));
  EXPECT_EQ(found(), Codes{});
}

TEST_F(PostgresDoctor, AnInvalidIndex) {
  s.run("update pg_index set indisvalid = false where indexrelid = 'vestige.moved_key'::regclass");
  EXPECT_EQ(found(), Codes{"index-invalid"});
}

TEST_F(PostgresDoctor, SomebodyElsesVersion) {
  s.run("update vestige.meta set value = '99' where name = 'schema_version'");
  EXPECT_EQ(found(), Codes{"schema-version"});
  EXPECT_EQ(last_message, "the trail has version 99, this vestige knows 1");
  EXPECT_NE(s.error("begin; " + std::string(vestige::sql::postgres::install))
                .find("the trail has version 99, this script knows version 1"),
            std::string::npos);
}

}  // namespace
}  // namespace vestige
