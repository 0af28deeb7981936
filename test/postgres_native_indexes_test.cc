// The trail with the indexes of the native engine: what it has from the start, changing the kind, partitions, what doctor
// says, dump and restore.
#include <gtest/gtest.h>

#include "test/postgres_native.h"

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
  s.run(vestige::sql::postgres::native);
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

TEST_F(PostgresNativeIndexes, GoneWithTheTrail) {
  write();
  s.run("begin; " + std::string(vestige::sql::postgres::remove) + "; commit");
  EXPECT_EQ(s.one("select count(*)::text from pg_am where amname ~ 'vestige'"), "0");
}

}  // namespace
}  // namespace vestige
