// The index methods through crashes: a server whose processes are killed at any moment, and one that follows it.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "test/native_index.h"

namespace vestige {
namespace {

class PostgresNativeIndexCrash : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("VESTIGE_NATIVE") == nullptr) GTEST_SKIP() << "the server has no native engine";
  }
  // The server has ended all sessions, of which this was one, and takes new ones.
  static void await(const PostgresServer& server, PgSession& ended) {
    for (int i = 0; i < 100'000 && ended.error("select 1").empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    for (int i = 0; i < 100'000; ++i) {
      const auto opened = Postgres::open(server.url());
      if (opened.has_value()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw std::runtime_error("the server does not come back");
  }
};

// Postgres::open goes on when the server is still starting up; a write fails where its process was killed.
void write_until_killed(const PostgresServer& server, unsigned seed, std::atomic<int>* done) {
  try {
    IndexWork work(server.url(), seed);
    for (;;) {
      work.write();
      ++*done;
    }
  } catch (const std::runtime_error&) {
  }
}

TEST_F(PostgresNativeIndexCrash, AProcessIsKilledAtAnyMoment) {
  const PostgresServer server(
      std::vector<std::string>{"full_page_writes=on", "checkpoint_timeout=30s"});
  {
    PgSession admin(server.url());
    admin.run(kIndexMethods);
    admin.run(kIndexedTable);
  }
  std::mt19937 dice(7);
  for (unsigned round = 0; round < 15; ++round) {
    std::atomic<int> done = 0;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 3; ++i)
      threads.emplace_back([&, i] { write_until_killed(server, 100 * round + i, &done); });
    const int wanted = static_cast<int>(dice() % 40);
    for (int i = 0; done < wanted && i < 6000; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    PgSession killer(server.url());
    const std::string victim = killer.one(
        "select pid::text from pg_stat_activity where backend_type = 'client backend' and pid <> "
        "pg_backend_pid() order by random() limit 1");
    ASSERT_NE(victim, "");
    kill(std::stoi(victim), SIGKILL);
    for (std::thread& thread : threads) thread.join();
    await(server, killer);
    IndexWork work(server.url(), 100 * round + 50);
    ASSERT_EQ(work.difference(12), "") << "after crash " << round;
    if (round % 5 == 4) work.session.run("vacuum t");
  }
}

// A first page that is something else, as by a file that was put in its place.
TEST_F(PostgresNativeIndexCrash, AnotherLayoutIsSaid) {
  const PostgresServer server;
  PgSession admin(server.url());
  admin.run(kIndexMethods);
  admin.run(kIndexedTable);
  admin.run("insert into t (k) select 1 from generate_series(1, 1000)");
  admin.run("checkpoint");
  const std::string file =
      server.host() + "/data/" + admin.one("select pg_relation_filepath('by_key')");
  PgSession victim(server.url());
  kill(std::stoi(victim.one("select pg_backend_pid()::text")), SIGKILL);
  await(server, admin);
  constexpr int kPageHeader = 24;
  std::fstream page(file, std::ios::in | std::ios::out | std::ios::binary);
  page.seekp(kPageHeader);
  page << "else";
  page.close();
  PgSession after(server.url());
  after.run("set enable_seqscan = off; set ignore_checksum_failure = on");
  EXPECT_NE(
      after.error("select from t where k = 1::bigint").find("index by_key is not of this layout"),
      std::string::npos);
  after.run("reindex index by_key");
  EXPECT_EQ(after.one("select count(*)::text from t where k = 1::bigint"), "1000");
}

// A copy of the server's files, made to follow it; not by pg_basebackup, which not every server of test/matrix.sh has.
void copy_as_standby(const PostgresServer& server, PgSession& admin, const std::string& as,
                     const std::string& folder) {
  const bool newer = std::stoi(admin.one("show server_version_num")) >= 150000;
  admin.run(newer ? "select pg_backup_start('standby', true)"
                  : "select pg_start_backup('standby', true, false)");
  ASSERT_EQ(shell(as + "cp -r " + server.host() + "/data " + folder), "");
  std::ofstream(folder + "/backup_label")
      << admin.one(newer ? "select labelfile from pg_backup_stop(false)"
                         : "select labelfile from pg_stop_backup(false, false)");
  std::ofstream(folder + "/standby.signal");
  std::ofstream(folder + "/postgresql.auto.conf", std::ios::app)
      << "primary_conninfo = 'host=" << server.host() << " user=postgres'\n";
  const std::string mine = folder + "/backup_label " + folder + "/standby.signal";
  ASSERT_EQ(shell("chmod a+rw " + mine + " && rm " + folder + "/postmaster.pid"), "");
}

// A server that follows another by its WAL answers as that one does.
TEST_F(PostgresNativeIndexCrash, AStandbyAnswers) {
  const PostgresServer server({"wal_level=replica", "max_wal_senders=4", "hot_standby=on"});
  PgSession admin(server.url());
  admin.run(kIndexMethods);
  admin.run(kIndexedTable);
  const char* bin = std::getenv("PGBIN");
  ASSERT_NE(bin, nullptr);
  const std::string folder = server.host() + "/standby";
  const std::string as = geteuid() == 0 ? "runuser -u postgres -- " : "";
  ASSERT_NO_FATAL_FAILURE(copy_as_standby(server, admin, as, folder));
  const std::string settings =
      "-c unix_socket_directories=" + folder +
      " -c listen_addresses= -c hot_standby=on -c max_prepared_transactions=20"
      " -c dynamic_shared_memory_type=mmap";
  const std::string started = shell(as + bin + "/pg_ctl -w -D " + folder + " -l " + folder +
                                    ".log -o '" + settings + "' start");
  ASSERT_NE(started.find("server started"), std::string::npos)
      << started << shell("cat " + folder + ".log");
  const std::string place = "host=" + folder + " user=postgres dbname=postgres";
  std::string found;
  for (unsigned round = 0; round < 20 && found.empty(); ++round) {
    IndexWork work(server.url(), 200 + round);
    work.write(false);
    const std::string reached = admin.one("select pg_current_wal_lsn()::text");
    IndexWork reader(place, 300 + round);
    for (int i = 0; i < 1000; ++i) {
      if (reader.session.one("select (pg_last_wal_replay_lsn() >= '" + reached + "')::text") ==
          "true")
        break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    found = reader.difference(10);
  }
  (void)shell(as + bin + "/pg_ctl -m immediate -D " + folder + " stop");
  EXPECT_EQ(found, "");
}

}  // namespace
}  // namespace vestige
