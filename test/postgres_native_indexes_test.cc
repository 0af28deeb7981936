// The trail with the indexes of the native engine: what it has from the start, changing the kind, partitions, what doctor
// says, dump and restore.
#include <gtest/gtest.h>

#include "test/postgres_native.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

class PostgresNativeIndexes : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!NativeTwins::there(shop)) GTEST_SKIP() << "the server has no native engine";
    s.run(
        "create table t (id int primary key, v text); select vestige.track('t'); select "
        "vestige.set_engine('t', 'native')");
  }
  // The kinds of index of the trail's changes, on the table and on all partitions.
  static std::string kinds(PgSession& db) {
    return db.one(
        "select string_agg(distinct concat_ws(' ', a.attname, m.amname, i.indisvalid), ', ') from "
        "pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam join "
        "pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0] where i.indrelid = "
        "'vestige.change'::regclass or i.indrelid in (select inhrelid from pg_inherits where "
        "inhparent = 'vestige.change'::regclass)");
  }
  std::string kinds() { return kinds(s); }
  void write() {
    s.run(
        "insert into t select coalesce(max(t.id), 0) + i, 'v' from t right join "
        "generate_series(1, 50) i on true group by i; update t set v = v || 'x' where id % 7 = 0");
  }
  std::string troubles() {
    return s.one(
        "select coalesce(string_agg(message, '; '), '') from vestige.doctor() where severity <> "
        "'note'");
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

constexpr const char* kRuns = "id vestige_order t, key_hash vestige_runs t";
constexpr const char* kBtrees = "id btree t, key_hash btree t";

TEST_F(PostgresNativeIndexes, AnEmptyTrailHasThemAtOnce) {
  EXPECT_EQ(kinds(), kRuns);
  s.run("select vestige.maintain()");
  EXPECT_EQ(kinds(), kRuns);
  write();
  EXPECT_EQ(troubles(), "");
  EXPECT_EQ(s.one("select count(*)::text from vestige.row_changes(1, '7')"), "2");
  // The scripts may run again.
  s.run("begin; " + std::string(vestige::sql::postgres::install) + "; commit");
  s.run("begin; " + std::string(vestige::sql::postgres::native) + "; commit");
  EXPECT_EQ(kinds(), kRuns);
  EXPECT_EQ(troubles(), "");
}

TEST_F(PostgresNativeIndexes, TheKindIsChangedAndBack) {
  s.run("select vestige.maintain()");
  write();
  for (const char* kind : {"btree", "runs", "runs", "btree", "runs"}) {
    s.run("call vestige.set_indexes('" + std::string(kind) + "')");
    EXPECT_EQ(kinds(), std::string(kind) == "runs" ? kRuns : kBtrees);
    write();
    EXPECT_EQ(troubles(), "") << kind;
    EXPECT_EQ(shop.replayed("public.t"), "") << kind;
    EXPECT_EQ(
        s.one("select count(*)::text from vestige.change c where c.tracked = 1"),
        s.one("select count(*)::text from vestige.change c where c.id > 0 and c.id < 100000000"));
  }
  EXPECT_NE(
      s.error("call vestige.set_indexes('other')").find("set_indexes: there is no kind other"),
      std::string::npos);
}

// One that was made concurrently before is taken as it is.
TEST_F(PostgresNativeIndexes, OneMadeConcurrentlyIsTaken) {
  s.run("select vestige.maintain()");
  s.run("call vestige.set_indexes('btree')");
  write();
  const std::string part = s.one("select tableoid::regclass::text from vestige.change limit 1");
  s.run("create index concurrently mine on " + part + " using vestige_runs (key_hash)");
  s.run("call vestige.set_indexes('runs')");
  EXPECT_EQ(kinds(), kRuns);
  EXPECT_EQ(
      s.one("select count(*)::text from pg_inherits where inhrelid = 'vestige.mine'::regclass"),
      "1");
}

TEST_F(PostgresNativeIndexes, PartitionsComeAndGo) {
  s.run("select vestige.maintain()");
  write();
  const std::string part = s.one("select tableoid::regclass::text from vestige.change limit 1");
  const std::string bound = s.one(
      "select pg_get_expr(relpartbound, oid) from pg_class where oid = '" + part + "'::regclass");
  s.run("alter table vestige.change detach partition " + part);
  s.run("alter table vestige.change attach partition " + part + " " + bound);
  write();
  EXPECT_EQ(kinds(), kRuns);
  EXPECT_EQ(shop.replayed("public.t"), "");
  // Many runs become one.
  s.run("reindex table " + part);
  write();
  EXPECT_EQ(shop.replayed("public.t"), "");
  EXPECT_EQ(s.one("select count(*)::text from vestige.row_changes(1, '7')"), "4");
}

TEST_F(PostgresNativeIndexes, ThroughDumpAndRestore) {
  s.run("select vestige.maintain()");
  write();
  ScratchDatabase copy;
  const std::string said =
      shell("set -o pipefail; pg_dump '" + shop.database.url() +
            "' | psql -qX1 -o /dev/null -v ON_ERROR_STOP=1 '" + copy.url() + "'");
  if (said.find("server version mismatch") != std::string::npos) GTEST_SKIP() << said;
  ASSERT_EQ(said, "");
  PgSession restored(copy.url());
  EXPECT_EQ(kinds(restored), kRuns);
  restored.run("update t set v = 'd'; delete from t where id = 7");
  EXPECT_EQ(PgShop::replayed_in(restored, "public.t"), "");
  EXPECT_EQ(restored.one("select count(*)::text from vestige.row_changes(1, '7')"), "4");
}

// What of the module a database has, and what a dump says of it.
std::string module_left(PgSession& db, const std::string& url) {
  return db.one(
             "select coalesce(string_agg(x, ' '), '') from (select amname::text from pg_am where "
             "amname ~ 'vestige' union all select oid::regprocedure::text from pg_proc where "
             "probin "
             "~ 'vestige' union all select extname::text from pg_extension where extname = "
             "'vestige' union all select opfname::text from pg_opfamily where opfnamespace = "
             "'vestige'::regnamespace union all select oid::regprocedure::text from pg_proc where "
             "proname = 'set_indexes') l(x)") +
         shell("pg_dump '" + url +
               "' | grep -iE 'libdir/vestige|using vestige_|^create (extension|access "
               "method|operator)' | "
               "head -5");
}

TEST_F(PostgresNativeIndexes, TheWayBackLeavesNothing) {
  s.run("select vestige.maintain()");
  write();
  s.run("create table own (k bigint); create index own_runs on own using vestige_runs (k)");
  EXPECT_NE(module_left(s, shop.database.url()), "");
  const auto refused = use_engine(s.db(), "portable");
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find(
                "take the native engine out: it is still needed by index public.own_runs"),
            std::string::npos);
  s.run("drop index own_runs");
  ASSERT_TRUE(use_engine(s.db(), "portable").has_value());
  EXPECT_EQ(module_left(s, shop.database.url()), "");
  EXPECT_EQ(kinds(), kBtrees);
  EXPECT_EQ(troubles(), "");
  write();
  // Again, and forth and back.
  ASSERT_TRUE(use_engine(s.db(), "portable").has_value());
  ASSERT_TRUE(use_engine(s.db(), "native").has_value());
  EXPECT_EQ(s.one("select engine from vestige.tracked"), "native");
  write();
  EXPECT_EQ(troubles(), "");
  ASSERT_TRUE(use_engine(s.db(), "portable").has_value());
  EXPECT_EQ(module_left(s, shop.database.url()), "");
  write();
  EXPECT_EQ(shop.replayed("public.t"), "");
}

TEST_F(PostgresNativeIndexes, TheWayBackFromTheExtension) {
  ScratchDatabase made;
  PgSession db(made.url());
  db.run(
      "create extension vestige; create table t (id int primary key, v text); select "
      "vestige.track('t'); insert into t values (1, 'a'), (2, 'b')");
  EXPECT_NE(module_left(db, made.url()), "");
  ASSERT_TRUE(use_engine(db.db(), "portable").has_value());
  EXPECT_EQ(module_left(db, made.url()), "");
  db.run("update t set v = 'c' where id = 1; select vestige.maintain()");
  EXPECT_EQ(kinds(db), kBtrees);
  EXPECT_NE(db.one("select count(*)::text from vestige.partitions()"), "0");
  EXPECT_EQ(db.one("select coalesce(string_agg(message, '; '), '') from vestige.doctor() where "
                   "severity <> 'note'"),
            "");
  // The dump is whole without an extension.
  ScratchDatabase copy;
  const std::string said =
      shell("set -o pipefail; pg_dump '" + made.url() +
            "' | psql -qX1 -o /dev/null -v ON_ERROR_STOP=1 '" + copy.url() + "'");
  if (said.find("server version mismatch") != std::string::npos) GTEST_SKIP() << said;
  ASSERT_EQ(said, "");
  PgSession restored(copy.url());
  restored.run("update t set v = 'd'; delete from t where id = 2");
  EXPECT_EQ(PgShop::replayed_in(restored, "public.t"), "");
}

TEST_F(PostgresNativeIndexes, OlderFunctionsAreMadeAnew) {
  const std::string text = "select md5(prosrc) from pg_proc where proname = 'set_indexes'";
  const std::string now = s.one(text);
  s.run("create or replace procedure vestige.set_indexes(kind text) language sql as 'select 1'");
  EXPECT_NE(s.one(text), now);
  ASSERT_TRUE(renew_engine(s.db()).has_value());
  EXPECT_EQ(s.one(text), now);
  EXPECT_EQ(troubles(), "");
}

TEST_F(PostgresNativeIndexes, TheWayBackIsASuperusers) {
  const std::string role = s.one("select 'plain_' || pg_backend_pid()");
  s.run("create role " + role + "; set role " + role);
  const auto refused = require_engine(s.db(), "portable");
  s.run("reset role; drop role " + role);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message,
            "use the portable engine: only a superuser may take the module out of a database");
}

TEST_F(PostgresNativeIndexes, GoneWithTheTrail) {
  write();
  s.run("begin; " + std::string(vestige::sql::postgres::remove) + "; commit");
  EXPECT_EQ(s.one("select count(*)::text from pg_am where amname ~ 'vestige'"), "0");
}

}  // namespace
}  // namespace vestige
