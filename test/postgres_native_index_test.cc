// The index methods vestige_runs and vestige_order: whatever happens to a table, they answer as a scan of it does.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "test/native_index.h"

namespace vestige {
namespace {

class PostgresNativeIndex : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!NativeTwins::there(shop)) GTEST_SKIP() << "the server has no native engine";
    s.run(kIndexedTable);
  }
  std::string plan(const std::string& sql) {
    std::string out;
    for (const auto& line : s.table("explain (costs off) " + sql)) out += *line[0] + "\n";
    return out;
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresNativeIndex, AnswersAsTheTableAfterEveryTransaction) {
  IndexWork work(shop.database.url(), 1);
  for (int i = 0; i < 150; ++i) {
    work.write();
    ASSERT_EQ(work.difference(3), "") << "after transaction " << i;
    if (i % 40 == 20) work.session.run("vacuum t");
    if (i % 40 == 30) work.session.run("vacuum (index_cleanup on, truncate on) t");
  }
  EXPECT_GT(std::stoll(work.session.one("select pg_relation_size('by_key')::text")), 16'384);
}

// What is written in a transaction is found by its next statement.
TEST_F(PostgresNativeIndex, ATransactionFindsWhatItWrote) {
  IndexWork work(shop.database.url(), 2);
  work.session.run("begin");
  work.session.run("insert into t (k) select 7 from generate_series(1, 5000) i");
  work.session.run("set local enable_seqscan = off");
  EXPECT_EQ(work.session.one("select count(*)::text from t where k = 7::bigint"), "5000");
  EXPECT_EQ(work.session.one("select count(*)::text from t where id > 4990"), "10");
  EXPECT_EQ(work.session.one("select max(id)::text from t"), "5000");
  work.session.run("rollback");
  EXPECT_EQ(work.session.one("select count(*)::text from t where k = 7::bigint"), "0");
}

TEST_F(PostgresNativeIndex, ManyWriteAndAskAtOnce) {
  std::atomic<bool> stop = false;
  std::vector<std::string> found(5);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 3; ++i)
    threads.emplace_back([&, i] {
      IndexWork work(shop.database.url(), 10 + i);
      for (int turn = 0; turn < 120; ++turn) work.write();
    });
  for (unsigned i = 0; i < 2; ++i)
    threads.emplace_back([&, i] {
      IndexWork work(shop.database.url(), 20 + i);
      while (!stop && found[i].empty()) {
        found[i] = work.difference(2);
        if (i == 0 && work.below(5) == 0) work.session.run("vacuum t");
      }
    });
  for (std::size_t i = 0; i < 3; ++i) threads[i].join();
  stop = true;
  for (std::size_t i = 3; i < 5; ++i) threads[i].join();
  for (const std::string& difference : found) EXPECT_EQ(difference, "");
  IndexWork work(shop.database.url(), 30);
  EXPECT_EQ(work.difference(60), "");
}

// Rows come to blocks while these are being closed: none is lost between the two.
TEST_F(PostgresNativeIndex, WritersMeetWhoCloses) {
  s.run("alter index by_key set (segment_blocks = 1); alter index by_id set (segment_blocks = 4)");
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&, i] {
      PgSession writer(shop.database.url());
      for (int turn = 0; turn < 300; ++turn)
        writer.run("insert into t (k, v) select " + std::to_string(i) +
                   " * 1000 + j % 40, repeat('v', 2000) from generate_series(1, 10) j");
    });
  for (std::thread& thread : threads) thread.join();
  s.run("set enable_seqscan = off");
  EXPECT_EQ(s.one("select count(*)::text from generate_series(0, 5) i, generate_series(0, 39) j "
                  "join lateral (select "
                  "from t where k = (i * 1000 + j)::bigint) x on true"),
            "18000");
  EXPECT_EQ(s.one("select count(*)::text from generate_series(1, 18000) i join lateral (select "
                  "from t where id = "
                  "i::bigint) x on true"),
            "18000");
  EXPECT_EQ(s.one("select count(*)::text from (select id from t order by id offset 0) x"), "18000");
}

// Rows go where others were, in blocks that the indexes have closed long ago.
TEST_F(PostgresNativeIndex, SpaceThatIsUsedAgain) {
  IndexWork work(shop.database.url(), 3);
  work.session.run(
      "insert into t (k, v) select i % 50, repeat('a', 60) from generate_series(1, 4000) i");
  const std::string size = work.session.one("select pg_relation_size('t')::text");
  for (int turn = 0; turn < 6; ++turn) {
    work.session.run("delete from t where id % 3 = " + std::to_string(turn % 3));
    work.session.run("vacuum t");
    work.session.run(
        "insert into t (k, v) select i % 60, repeat('b', 60) from generate_series(1, 1200) i");
    work.session.run(
        "begin; insert into t (k, v) select i % 60, repeat('c', 60) from "
        "generate_series(1, 300) i; rollback");
    ASSERT_EQ(work.difference(20), "") << turn;
  }
  EXPECT_LT(std::stoll(work.session.one("select pg_relation_size('t')::text")),
            2 * std::stoll(size));
  work.session.run("delete from t where id > 1000");
  work.session.run("vacuum t");
  work.session.run("insert into t (k, v) select i % 60, 'd' from generate_series(1, 3000) i");
  EXPECT_EQ(work.difference(30), "");
}

TEST_F(PostgresNativeIndex, MadeAnewInEveryWay) {
  IndexWork work(shop.database.url(), 4);
  for (int i = 0; i < 30; ++i) work.write();
  for (const char* anew : {"reindex index by_key", "reindex index by_id",
                           "reindex table concurrently t", "vacuum full t", "drop index by_key",
                           "create index concurrently by_key on t using vestige_runs (k) "
                           "with (segment_blocks = 3)",
                           "drop index concurrently by_id",
                           "create index concurrently by_id on t using vestige_order (id)",
                           "set maintenance_work_mem = '1MB'; reindex table t", "truncate t"}) {
    work.session.run(anew);
    work.write(false);
    ASSERT_EQ(work.difference(15), "") << anew;
  }
}

// What others write while an index is made concurrently is in it.
TEST_F(PostgresNativeIndex, MadeWhileOthersWrite) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 2; ++i)
    threads.emplace_back([&, i] {
      IndexWork work(shop.database.url(), 40 + i);
      while (!stop) work.write();
    });
  IndexWork work(shop.database.url(), 42);
  std::string found;
  for (int turn = 0; turn < 6 && found.empty(); ++turn) {
    work.session.run("reindex table concurrently t");
    found = work.difference(10);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(found, "");
  EXPECT_EQ(work.difference(40), "");
}

TEST_F(PostgresNativeIndex, ExtremeKeysAndNulls) {
  s.run(
      "alter table t alter column id set generated by default; alter table t alter column id drop "
      "identity, "
      "alter column id drop not null; insert into t (id, k) select case i % 5 when 0 then null "
      "when 1 then "
      "9223372036854775807 when 2 then -9223372036854775808 else i end, case i % 3 when 0 then "
      "null when 1 then "
      "9223372036854775807 else -9223372036854775808 end from generate_series(1, 3000) i; set "
      "enable_seqscan = off");
  for (const char* edge : {"9223372036854775807", "(-9223372036854775808)"}) {
    const std::string n = std::string(edge) + "::bigint";
    EXPECT_EQ(s.one("select count(*)::text from t where k = " + n), "1000");
    EXPECT_EQ(s.one("select count(*)::text from t where id = " + n), "600");
  }
  EXPECT_EQ(s.one("select count(*)::text from t where id < -9223372036854775808"), "0");
  EXPECT_EQ(s.one("select count(*)::text from t where id > 9223372036854775807"), "0");
  EXPECT_EQ(s.one("select count(*)::text from t where id <= 3000"), "1800");
  EXPECT_EQ(s.one("select count(*)::text from t where id = null"), "0");
  EXPECT_EQ(s.one("select count(*)::text from (select id from t order by id offset 0) x"), "3000");
  EXPECT_EQ(s.one("select count(*)::text from t where k = (select null::bigint)"), "0");
}

TEST_F(PostgresNativeIndex, ManyRowsOfOneKey) {
  s.run(
      "insert into t (k) select case when i % 1000 = 0 then i else 5 end from generate_series(1, "
      "40000) i; "
      "set enable_seqscan = off");
  EXPECT_EQ(s.one("select count(*)::text from t where k = 5::bigint"), "39960");
  EXPECT_EQ(s.one("select count(*)::text from t where k = 7000::bigint"), "1");
  EXPECT_EQ(s.one("select count(*)::text from t where k = 7001::bigint"), "0");
  s.run("reindex index by_key");
  EXPECT_EQ(s.one("select count(*)::text from t where k = 5::bigint"), "39960");
  EXPECT_EQ(s.one("select count(*)::text from t where k = 40000::bigint"), "1");
  EXPECT_EQ(s.one("select count(*)::text from t where k = 4::bigint"), "0");
}

TEST_F(PostgresNativeIndex, ThePlannerKnowsWhatItGets) {
  s.run(
      "insert into t (k, v) select hashint8(i), repeat('v', 80) from generate_series(1, 100000) i; "
      "analyze t");
  EXPECT_NE(plan("select * from t where k = 5::bigint").find("Index Scan on by_key"),
            std::string::npos);
  EXPECT_NE(
      plan("select * from t order by id desc limit 20").find("Index Scan Backward using by_id"),
      std::string::npos);
  EXPECT_NE(plan("select max(id) from t").find("Index Scan Backward using by_id"),
            std::string::npos);
  EXPECT_NE(
      plan("select * from t where id = any (array[1, 2, 3]::bigint[])").find("Index Scan on by_id"),
      std::string::npos);
  EXPECT_NE(plan("select * from unnest(array[1, 2]::bigint[]) a join t on t.k = a")
                .find("Index Scan on by_key"),
            std::string::npos);
  EXPECT_NE(plan("select * from t where id > 5 order by id").find("Index Scan using by_id"),
            std::string::npos);
}

TEST_F(PostgresNativeIndex, RowsAreCountedByTheIndexAlone) {
  s.run(
      "insert into t (k, v) select i, 'v' from generate_series(1, 20000) i; delete from t where id "
      "% 3 = 0; vacuum t; insert into "
      "t (k, v) select i, 'w' from generate_series(1, 500) i; begin; insert into t (k, v) select "
      "i, 'x' from generate_series(1, 100) i; "
      "rollback; set enable_seqscan = off; set enable_bitmapscan = off; set "
      "max_parallel_workers_per_gather = 0");
  const std::string counted = "select count(*)::text from t";
  EXPECT_NE(plan(counted).find("Index Only Scan using by_id"), std::string::npos) << plan(counted);
  PgSession other = shop.connect();
  other.run("begin; insert into t (k, v) values (1, 'y'); delete from t where id < 100");
  const std::string count = s.one(counted);
  EXPECT_EQ(s.one("select count(*)::text from (select 1 from t offset 0) x"), count);
  other.run("rollback");
  s.run("set enable_indexonlyscan = off; set enable_indexscan = off; set enable_seqscan = on");
  EXPECT_EQ(s.one(counted), count);
  EXPECT_EQ(s.one("select count(*)::text from generate_series(1, 20000) i where i % 3 <> 0"),
            std::to_string(std::stoi(count) - 500));
}

TEST_F(PostgresNativeIndex, WhatIsRefused) {
  EXPECT_NE(s.error("create index on t using vestige_runs ((k + 1))")
                .find("must be over a column, and have all rows"),
            std::string::npos);
  EXPECT_NE(s.error("create index on t using vestige_order (id) where k = 1").find("have all rows"),
            std::string::npos);
  EXPECT_NE(s.error("create unlogged table u (k bigint); create index on u using vestige_runs (k)")
                .find("cannot be unlogged"),
            std::string::npos);
  EXPECT_NE(s.error("create unique index on t using vestige_runs (k)").find("unique"),
            std::string::npos);
  EXPECT_NE(s.error("create index on t using vestige_runs (k, id)").find("multicolumn"),
            std::string::npos);
  EXPECT_NE(s.error("create index on t using vestige_order (v)").find("no default operator class"),
            std::string::npos);
  EXPECT_NE(s.error("create index on t using vestige_runs (k) with (segment_blocks = -1)")
                .find("segment_blocks"),
            std::string::npos);
}

// Two that read and write by each other's key cannot both commit, and two by keys of their own can.
TEST_F(PostgresNativeIndex, SerializableTransactionsConflictByKey) {
  s.run("insert into t (k) select i from generate_series(1, 500) i; analyze t");
  const auto both = [&](const std::string& one_key, const std::string& other_key,
                        const std::string& inserted) {
    PgSession a = shop.connect();
    PgSession b = shop.connect();
    for (PgSession* each : {&a, &b})
      each->run("set enable_seqscan = off; begin isolation level serializable");
    (void)a.one("select count(*)::text from t where k = " + one_key + "::bigint");
    (void)b.one("select count(*)::text from t where k = " + other_key + "::bigint");
    a.run("insert into t (k) values (" + (inserted.empty() ? other_key : inserted) + ")");
    b.run("insert into t (k) values (" + (inserted.empty() ? one_key : inserted) + ")");
    return a.error("commit") + b.error("commit");
  };
  EXPECT_EQ(both("10001", "10002", "10003"), "");
  EXPECT_NE(both("10004", "10005", "").find("could not serialize access"), std::string::npos);
}

}  // namespace
}  // namespace vestige
