// Who may do what: applications, readers, auditors, admins.
#include "test/evidence.h"
#include "vestige/audit/cosign.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/mark.h"

namespace vestige {
namespace {

class PostgresRoles : public testing::Test {
 protected:
  void SetUp() override {
    s.run(
        "create table t (id int primary key, x int); create table secret (id int primary key); "
        "select vestige.track('t'); insert into t values (1, 1)");
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresRoles, AnApplicationCanWriteItsTableAndNothingElse) {
  const std::string app = shop.role("app");
  s.run("grant select, insert, update, delete, truncate on t to " + app);
  PgSession mine = shop.connect(app);
  mine.run(
      "select vestige.set_context('{\"actor\": \"ann\"}'); insert into t values (2, 2); update t "
      "set x = 3; delete from t where id = 2; truncate t; insert into t values (5, 5)");
  EXPECT_EQ(s.one("select string_agg(op::text, '' order by id) from vestige.change"), "IIUUDDTI");
  for (const char* attempt :
       {"select * from vestige.change",
        "select * from vestige.changes",
        "insert into vestige.change select * from vestige.change",
        "update vestige.change set key = '2'",
        "delete from vestige.change",
        "truncate vestige.change",
        "drop table vestige.change",
        "drop schema vestige cascade",
        "alter table vestige.change disable trigger all",
        "create table vestige.mine (a int)",
        "select nextval('vestige.change_id')",
        "alter table t disable trigger \"0_vestige_change\"",
        "drop trigger \"0_vestige_change\" on t",
        "alter table t rename to u",
        "set session_replication_role = replica",
        "set role postgres",
        "select vestige.track('t')",
        "select vestige.untrack('t')",
        "select vestige.untrack_id(1)",
        "select vestige.own_table('mark')",
        "select vestige.maintain()",
        "select vestige.mend()",
        "select vestige.baseline(1)",
        "select vestige.set_retention('a', '1 day')",
        "select vestige.capture_1()",
        "alter function vestige.capture_1() security invoker",
        "select vestige.begin_context(1, '1', '')",
        "select vestige.refit(1, 't'::regclass)",
        "select vestige.write_change(1, 1, 'I', '9', null, null, '(9)')",
        "create trigger x after insert on t for each row execute function vestige.capture_1()",
        "alter event trigger vestige_ddl_end disable",
        "drop event trigger vestige_ddl_end"})
    EXPECT_NE(mine.error(attempt), "") << attempt;
  EXPECT_EQ(shop.replayed("public.t"), "");
}

TEST_F(PostgresRoles, FunctionsOfAnApplicationDoNotStandInForThoseOfTheServer) {
  const std::string app = shop.role("app");
  s.run("grant select, insert, update on t to " + app + "; create schema trap authorization " +
        app);
  PgSession mine = shop.connect(app);
  mine.run(
      "create function trap.clock_timestamp() returns timestamptz language sql as 'select "
      "timestamptz ''epoch'''; create function trap.hashtextextended(text, int) returns bigint "
      "language sql as 'select 0::bigint'; create function trap.taken(int, int) returns boolean "
      "language sql as 'select false'; create operator trap.<> (leftarg = int, rightarg = int, "
      "function = trap.taken); create temp table tracked (id int); create temp table change (id "
      "int); "
      "set search_path = trap, pg_catalog, public, pg_temp; insert into public.t values (2, 2); "
      "update public.t set x = 5 where id = 2");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where at > now() - interval '1 hour' "
                  "and key_hash <> 0"),
            "3");
  EXPECT_EQ(shop.replayed("public.t"), "");
}

TEST_F(PostgresRoles, TheOwnerOfATableIsFoundOut) {
  const std::string app = shop.role("owner");
  s.run("alter table t owner to " + app);
  PgSession mine = shop.connect(app);
  mine.run(
      "insert into t values (2, 2); alter table t add y text; update t set y = 'a' where id = 2");
  EXPECT_EQ(shop.replayed("public.t"), "");
  EXPECT_NE(mine.error("delete from vestige.change"), "");
  // It can switch capture off; doctor says so.
  mine.run("alter table t disable trigger \"0_vestige_change\"");
  const auto findings = doctor(s.db(), false);
  ASSERT_TRUE(findings.has_value());
  EXPECT_EQ(findings->at(0).code, "gap");
  EXPECT_EQ(findings->at(1).code, "triggers-disabled");
  EXPECT_EQ(findings->at(2).code, "owner");
  EXPECT_EQ(findings->at(2).severity, Severity::note);
}

TEST_F(PostgresRoles, ReadersAndAuditorsReadAndNothingElse) {
  for (const std::string role : {"vestige_reader", "vestige_auditor"}) {
    const std::string person = shop.role("r" + role.substr(8));
    s.run("grant " + role + " to " + person);
    PgSession mine = shop.connect(person);
    EXPECT_EQ(mine.one("select new_values ->> 'x' from vestige.changes"), "1") << role;
    EXPECT_EQ(mine.one("select count(*)::text from vestige.key_changes(1, '1')"), "1");
    for (const char* attempt :
         {"insert into vestige.note (message) values ('')", "delete from vestige.change",
          "update vestige.tracked set policy = '{}'", "select vestige.track('t')",
          "select vestige.untrack('t')", "select vestige.maintain()", "select vestige.mend()"})
      EXPECT_NE(mine.error(attempt), "") << attempt;
    EXPECT_EQ(mine.error("select * from vestige.change_id") == "", role == "vestige_auditor");
  }
}

TEST_F(PostgresRoles, AnAuditorSealsAndVerifies) {
  const std::string person = shop.role("sealer");
  s.run("grant vestige_auditor to " + person);
  const auto db = must(open_database(shop.database.url(person)));
  const TemporaryDirectory directory;
  for (int round = 1; round <= 2; ++round) {
    const auto sealer = must(Sealer::open(*db, Evident::signer(), directory.file("key.state")));
    while (!sealer->done()) must(sealer->batch());
    EXPECT_TRUE(must(sealer->sign()).has_value());
    s.run("insert into t values (" + std::to_string(70 + round) + ", 1)");
  }
  // A witness's cosignature, and nothing else of a checkpoint.
  PgSession mine = shop.connect(person);
  const std::string refused = mine.error("update vestige.checkpoint set note = ''");
  EXPECT_NE(refused.find("history is append-only"), std::string::npos) << refused;
  EXPECT_NE(mine.error("update vestige.checkpoint set at = now()").find("permission denied"),
            std::string::npos);
  const auto witness = must(merkle::NoteSigner::make("w.example.org", merkle::KeyKind::cosignature,
                                                     std::string(32, 'w')));
  TrailCheckpoint own = must(TrailCheckpoint::newest(*db));
  must(own.keep(must(witness.sign(must(merkle::parse_note(own.note())).text, 1)), witness.key()));
  EXPECT_TRUE(must(must(TrailCheckpoint::newest(*db)).signed_by(witness.key())));
  EXPECT_EQ(s.one("select count(*)::text from vestige.trail_findings() where code = 'rights'"),
            "0");
}

TEST_F(PostgresRoles, ReadersOfSomeTablesOnly) {
  const std::string clerk = shop.role("clerk");
  s.run(
      "select vestige.track('secret'); insert into secret values (1); create schema hr; create "
      "view "
      "hr.history with (security_barrier) as select * from vestige.changes where \"table\" = 't'; "
      "grant usage on schema hr to " +
      clerk +
      "; grant select on hr.history, vestige.tracked, "
      "vestige.shape to " +
      clerk +
      "; grant execute on function vestige.decode(vestige.change), "
      "vestige.fields(text), vestige.given_fields(text), vestige.value_json(text, text, text), "
      "vestige.cast_json(text, text), "
      "vestige.shown_name(name, name) "
      "to " +
      clerk);
  PgSession mine = shop.connect(clerk);
  EXPECT_EQ(mine.one("select string_agg(\"table\" || key, ' ') from hr.history"), "t{\"id\":1}");
  EXPECT_NE(mine.error("select * from vestige.changes"), "");
}

TEST_F(PostgresRoles, AdminsDecideForTablesThatAreTheirs) {
  const std::string admin = shop.role("admin");
  s.run("grant vestige_admin to " + admin + "; grant create on schema public to " + admin);
  PgSession mine = shop.connect(admin);
  mine.run(
      "create table own (id int primary key, x int); insert into own values (1, 1); select "
      "vestige.track('own', baseline => true, require => '{actor}'), vestige.maintain(), "
      "vestige.set_retention('books', '7 years')");
  EXPECT_NE(mine.error("insert into own values (2, 2)"), "");
  EXPECT_NE(
      mine.error("select vestige.track('secret')").find("owns neither the table nor the trail"),
      std::string::npos);
  EXPECT_NE(mine.error("select vestige.untrack('t')").find("owns neither the table nor the trail"),
            std::string::npos);
  EXPECT_NE(mine.error("select vestige.baseline(1)").find("baseline of public.t: "),
            std::string::npos);
  EXPECT_NE(
      mine.error("select vestige.track('own', \"when\" => 'new.x > 1')")
          .find("own: a condition runs with the rights of the trail's owner, so that only the "
                "owner may set one"),
      std::string::npos);
  s.run("select vestige.track('own', \"when\" => 'new.x > 1')");
  mine.run("select vestige.track('own', \"when\" => 'new.x > 1', tags => '{SOX}')");
  EXPECT_NE(mine.error("select vestige.set_retention('books', 'long')")
                .find("set_retention: long is no period"),
            std::string::npos);
  EXPECT_NE(
      mine.error(
              "select vestige.set_retention('books', '7 years', hot => 'forever', archive => true)")
          .find("set_retention: forever is no period"),
      std::string::npos);
  EXPECT_NE(mine.error("select vestige.set_retention('books', '7 years', hot => '1 year')")
                .find("set_retention: what is not archived is kept in the database alone"),
            std::string::npos);
  mine.run("select vestige.set_retention('books', '7 years', '1 year', true)");
  EXPECT_EQ(s.one("select hot || archive from vestige.retention"), "1 yeartrue");
  mine.run("select vestige.set_retention('books', null), vestige.untrack('own')");
  EXPECT_EQ(s.one("select count(*)::text from vestige.retention"), "0");
  EXPECT_NE(mine.error("delete from vestige.change"), "");
}

TEST_F(PostgresRoles, AdminsAndAuditorsMark) {
  const std::string reader = shop.role("reader");
  const std::string admin = shop.role("admin");
  const std::string auditor = shop.role("auditor");
  s.run("grant vestige_reader to " + reader + "; grant vestige_admin to " + admin +
        "; grant vestige_auditor to " + auditor);
  const Context nobody;
  const auto as = [&](const std::string& role) {
    return must(open_database(shop.database.url(role)));
  };
  EXPECT_EQ(error_of(mark(*as(reader), "one", Moment{}, false, nobody)).fault, Fault::denied);
  must(mark(*as(admin), "one", Moment{}, false, nobody));
  must(mark(*as(auditor), "one", Moment{Moment::Kind::change, 0}, true, nobody));
  EXPECT_EQ(error_of(mark(*as(reader), "one", Moment{}, true, nobody)).fault, Fault::denied);
  EXPECT_EQ(must(marked(*as(reader), "one")).value, 0);
  EXPECT_EQ(*must(marks(*as(reader)))[0].written->who(), auditor);
  for (const std::string& role : {admin, auditor, reader}) {
    PgSession mine = shop.connect(role);
    EXPECT_NE(mine.error("truncate vestige.mark"), "");
    EXPECT_NE(mine.error("alter table vestige.mark add column x int"), "");
    EXPECT_NE(mine.error("select vestige.track('vestige.mark', exclude => '{change}')"), "");
    EXPECT_NE(mine.error("select vestige.untrack('vestige.mark')"), "");
  }
  EXPECT_NE(s.error("select vestige.untrack('vestige.mark')").find("it is the trail's own table"),
            std::string::npos);
  EXPECT_NE(s.error("select vestige.own_table('context')")
                .find("the trail has no table context of its own"),
            std::string::npos);
  EXPECT_EQ(s.one("select count(*)::text from vestige.trail_findings() where code = 'rights'"),
            "0");
}

TEST_F(PostgresRoles, WithoutTheRightToMakeRolesOrEventTriggers) {
  ScratchDatabase other;
  const std::string plain = shop.role("plain");
  s.run("grant create on database " + other.name() + " to " + plain);
  PgSession super(other.url());
  super.run("grant all on schema public to " + plain);
  {
    PgSession mine(other.url(plain));
    mine.run("begin; " + std::string(vestige::sql::postgres::install) + "; commit");
    mine.run(
        "create table t (id int primary key, x int); select vestige.track('t'); insert into t "
        "values (1, 1); alter table t add y int; update t set y = 2");
    const auto findings = doctor(mine.db(), false);
    ASSERT_TRUE(findings.has_value()) << findings.error().message;
    std::string codes;
    for (const Finding& one : *findings) {
      EXPECT_EQ(one.severity, Severity::note) << one.message;
      codes += one.code + " ";
    }
    EXPECT_EQ(codes, "event-trigger owner ");
    PgSession reader(other.url());
    EXPECT_EQ(PgShop::replayed_in(reader, "public.t"), "");
    mine.run(vestige::sql::postgres::remove);
  }
  EXPECT_EQ(super.one("select count(*)::text from pg_roles where rolname like 'vestige\\_%'"), "3");
  super.run("drop owned by " + plain);
  EXPECT_EQ(s.one("select new_values ->> 'x' from vestige.changes"), "1");
}

}  // namespace
}  // namespace vestige
