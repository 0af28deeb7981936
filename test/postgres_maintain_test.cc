// Partitions of the history: made ahead, split off late, never in the way of a write.
#include <atomic>

#include "test/postgres_capture.h"

namespace vestige {
namespace {

class PostgresMaintain : public testing::Test {
 protected:
  void SetUp() override {
    s.run(
        "create table t (id int primary key, x int); select vestige.track('t'); "
        "insert into t select i, i from generate_series(1, 6) i");
  }
  std::string maintained() {
    return s.one("select coalesce(string_agg(m, '; '), '') from vestige.maintain() m");
  }
  // Time has gone by: nothing is made ahead any more.
  void drop_partitions() {
    s.run(
        "do $$ declare p regclass; begin for p in select relation from vestige.partitions() "
        "loop execute format('drop table %s', p); end loop; end $$");
  }
  std::string partition_of(const std::string& change) {
    return s.one("select tableoid::regclass::text from vestige.change where id = " + change);
  }
  // A change as it would have been recorded at another time.
  void record_at(const std::string& time) {
    s.run(
        "insert into vestige.change (at, xid, context, tracked, shape, op, key_hash, key, old_row) "
        "select " +
        time +
        ", xid, context, tracked, shape, 'D', key_hash, key, new_row from "
        "vestige.change where id = " +
        first());
  }
  std::string first() { return s.one("select min(id)::text from vestige.change"); }
  std::string last() { return s.one("select max(id)::text from vestige.change"); }
  // Whether every partition is guarded like the whole.
  std::string unguarded() {
    return s.one(
        "select coalesce(string_agg(i.inhrelid::regclass::text, ','), '') from pg_inherits i where "
        "i.inhparent = 'vestige.change'::regclass and (select count(*) from pg_trigger where "
        "tgrelid = i.inhrelid and tgname in ('append_only', 'never_truncate') and tgenabled = 'A') "
        "<> 2");
  }
  std::string partitions() { return s.one("select count(*)::text from vestige.partitions()"); }

  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresMaintain, ThreeMonthsStandAfterInstallation) {
  EXPECT_EQ(partitions(), "3");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change_default"), "0");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change"), "6");
  EXPECT_EQ(s.one("select (max(upto) = date_trunc('month', now() at time zone 'UTC') at time zone "
                  "'UTC' + interval '3 months')::text from vestige.partitions()"),
            "true");
  EXPECT_EQ(s.one("select min(from_at)::text from vestige.partitions()"), "-infinity");
  EXPECT_EQ(unguarded(), "");
  EXPECT_EQ(maintained(), "");
}

TEST_F(PostgresMaintain, HistoryStaysAppendOnlyInEveryPartition) {
  record_at("now() + interval '10 years'");
  EXPECT_NE(maintained(), "");
  EXPECT_EQ(unguarded(), "");
  s.run("set session_replication_role = replica");
  for (const auto& row :
       s.table("select inhrelid::regclass::text from pg_inherits where inhparent = "
               "'vestige.change'::regclass")) {
    EXPECT_NE(s.error("truncate " + *row[0]), "");
    EXPECT_EQ(s.error("delete from " + *row[0] + " where false"), "");
  }
  EXPECT_NE(s.error("delete from vestige.change where id = " + first()), "");
  EXPECT_NE(s.error("delete from " + partition_of(first()) + " where id = " + first()), "");
  EXPECT_NE(s.error("update " + partition_of(first()) + " set key = '9' where id = " + first()),
            "");
}

TEST_F(PostgresMaintain, WhatLandedInTheDefaultPartitionGetsAPlaceOfItsOwn) {
  drop_partitions();
  s.run("update t set x = 7 where id = 1");
  const std::string one = last();
  EXPECT_EQ(partition_of(one), "vestige.change_default");
  EXPECT_NE(maintained().find("what was in the default partition is partition vestige.change_"),
            std::string::npos);
  EXPECT_EQ(s.one("select count(*)::text from vestige.change_default"), "0");
  EXPECT_NE(partition_of(one), "vestige.change_default");
  EXPECT_EQ(unguarded(), "");
  EXPECT_EQ(partitions(), "4");
  s.run("update t set x = 8 where id = 1");
  EXPECT_NE(partition_of(last()), partition_of(one));
  EXPECT_NE(partition_of(last()), "vestige.change_default");
  EXPECT_EQ(maintained(), "");
  EXPECT_EQ(
      s.one("select string_agg(id::text, ',' order by id) from vestige.key_changes(1, '1') id"),
      one + "," + last());
}

TEST_F(PostgresMaintain, WrongClocksAreSortedIn) {
  drop_partitions();
  EXPECT_NE(maintained(), "");
  // The oldest partition goes, as retention does it; then there is a time before the first.
  s.run(
      "do $$ begin execute format('drop table %s', (select relation from vestige.partitions() "
      "limit 1)); end $$");
  s.run("insert into t values (7, 7)");
  const std::string kept = first();
  for (const char* time :
       {"'1999-01-01'", "'1999-01-02'", "'2999-01-01'", "now()", "now() - interval '1 day'"})
    s.run(
        "insert into vestige.change (at, xid, context, tracked, shape, op, key_hash, key, new_row) "
        "select " +
        std::string(time) +
        ", xid, context, tracked, shape, op, key_hash, key, new_row from "
        "vestige.change where id = " +
        kept);
  const std::string before =
      s.one("select md5(string_agg(c::text, ',' order by id)) from vestige.change c");
  EXPECT_NE(maintained().find("5 changes of the default partition"), std::string::npos);
  EXPECT_EQ(s.one("select md5(string_agg(c::text, ',' order by id)) from vestige.change c"),
            before);
  EXPECT_EQ(s.one("select count(*)::text from vestige.change_default"), "0");
  EXPECT_EQ(unguarded(), "");
  EXPECT_EQ(maintained(), "");
}

TEST_F(PostgresMaintain, NothingIsDroppedThatHasNoPlace) {
  drop_partitions();
  s.run("insert into t values (7, 7)");
  record_at("timestamptz 'infinity'");
  EXPECT_NE(s.error("select vestige.maintain()")
                .find("vestige: maintain: 1 changes of the default partition belong to no time"),
            std::string::npos);
  EXPECT_EQ(s.one("select count(*)::text from vestige.change_default"), "2");
}

TEST_F(PostgresMaintain, WeeksAndDays) {
  s.run("update vestige.meta set value = 'day' where name = 'partition_width'");
  drop_partitions();
  EXPECT_NE(maintained(), "");
  EXPECT_EQ(s.one("select string_agg((upto - from_at)::text, ' ') from vestige.partitions() "
                  "where isfinite(from_at)"),
            "1 day 1 day");
  s.run("update vestige.meta set value = 'week' where name = 'partition_width'");
  EXPECT_NE(maintained(), "");
  EXPECT_EQ(s.one("select (max(upto) = date_trunc('week', now() at time zone 'UTC') at time zone "
                  "'UTC' + interval '3 weeks')::text from vestige.partitions()"),
            "true");
  EXPECT_EQ(maintained(), "");
  s.run("update vestige.meta set value = 'year' where name = 'partition_width'");
  EXPECT_NE(s.error("select vestige.maintain()").find("vestige: maintain: partition_width is year"),
            std::string::npos);
}

TEST_F(PostgresMaintain, PartitionsOfATrackedTableGetTheirTriggerForTruncate) {
  s.run(
      "drop event trigger vestige_ddl_end; create table m (id int primary key) partition by range "
      "(id); select vestige.track('m'); create table m1 partition of m for values from (0) to "
      "(10); "
      "insert into m values (1), (2)");
  EXPECT_EQ(maintained(), "partition public.m1 records its TRUNCATE from now on");
  EXPECT_EQ(maintained(), "");
  s.run("set session_replication_role = replica; truncate m1");
  EXPECT_EQ(shop.replayed("public.m"), "");
  EXPECT_EQ(s.one("select string_agg(message, '') from vestige.note"),
            "partition public.m1 had no trigger for TRUNCATE: if it was truncated alone before "
            "this, that is "
            "not in the trail");
}

TEST_F(PostgresMaintain, GivesUpWhereOthersUseTheTrailAllTheTime) {
  drop_partitions();
  PgSession reader = shop.connect();
  reader.run("begin; select count(*) from vestige.change");
  EXPECT_NE(s.error("select vestige.maintain(2)")
                .find("vestige: maintain: others used the trail all the time; nothing was done"),
            std::string::npos);
  EXPECT_EQ(partitions(), "0");
  s.run("insert into t values (7, 7)");
  reader.run("commit");
  EXPECT_NE(maintained(), "");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where new_row = '(7,7)'"), "1");
}

TEST_F(PostgresMaintain, WritersGoOnMeanwhile) {
  std::atomic<bool> done{false};
  std::atomic<int> writes{0};
  std::vector<std::string> problems(4);
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k)
    threads.emplace_back([&, k] {
      PgSession mine = shop.connect();
      const std::string id = std::to_string(k + 1);
      mine.run(std::string("set default_transaction_isolation = '") +
               (k % 2 == 0 ? "read committed" : "repeatable read") + "'");
      for (; !done && problems[k].empty(); ++writes)
        problems[k] = mine.error("begin; update t set x = x + 1 where id = " + id +
                                 "; insert into t values (100 + " + id +
                                 ", 1); delete from t where id = 100 + " + id + "; commit");
    });
  for (int i = 0; i < 8; ++i) {
    // The partitions made ahead are gone: what comes lands in the default one, and is split off again.
    EXPECT_EQ(s.error("begin; lock table vestige.change; do $$ declare p record; begin for p in "
                      "select * from "
                      "vestige.partitions() where upto > now() loop execute format('alter table "
                      "vestige.change detach partition %s', "
                      "p.relation); if p.from_at > now() then execute format('drop table %s', "
                      "p.relation); else "
                      "perform vestige.attach_partition(p.relation, p.from_at, clock_timestamp()); "
                      "end if; end "
                      "loop; end $$; commit"),
              "");
    const int seen = writes;
    while (writes < seen + 8 && problems[0].empty()) std::this_thread::yield();
    EXPECT_NE(maintained().find("what was in the default partition"), std::string::npos);
  }
  done = true;
  for (auto& thread : threads) thread.join();
  for (const auto& problem : problems) EXPECT_EQ(problem, "");
  EXPECT_EQ(shop.replayed("public.t"), "");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change_default"), "0");
  EXPECT_EQ(unguarded(), "");
}

}  // namespace
}  // namespace vestige
