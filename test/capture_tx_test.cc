// Which changes of plain clients count as one transaction, and that none of them slips out: rollback,
// savepoints, several connections and processes, attached databases.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "test/capture_replay.h"
#include "vestige/trail/changes.h"

namespace vestige {
namespace {

class CaptureTx : public testing::Test {
 protected:
  void make(const std::string& sql, const std::vector<std::string>& tables = {"goods"}) {
    shop_.run("pragma journal_mode = wal; pragma synchronous = off");
    shop_.run(sql);
    shop_.with_trail();
    for (const std::string& table : tables) shop_.track(table);
    client_ = shop_.connect();
    must(client_->script("pragma synchronous = off"));
  }
  // The transactions of the changes after one: how many changes each has.
  std::string sizes(std::int64_t after = 0) {
    return shop_.rows(fmt::format(
        "select count(*) from vestige_change where id > {} group by tx order by tx", after));
  }
  void one_tx(const std::string& sql) {
    const std::int64_t before = shop_.last_change();
    must(client_->script(sql));
    EXPECT_EQ(shop_.rows(fmt::format("select count(distinct tx) from vestige_change where id > {}",
                                     before)),
              "1\n")
        << sql;
  }

  Shop shop_;
  std::unique_ptr<Sqlite> client_;
};

TEST_F(CaptureTx, NeverMergesFastStatementsOfOneConnection) {
  make("create table goods (id integer primary key, name unique)");
  for (int i = 0; i < 300; ++i) {
    must(client_->run("insert into goods values (?1, ?1)", {std::int64_t{i}}));
    must(client_->run("update goods set name = 'x' || name where id = ?1", {std::int64_t{i}}));
    must(client_->run("replace into goods values (?1, -?1 - 1)", {std::int64_t{i}}));
    must(
        client_->run("insert into goods values (?1, 1) on conflict do nothing", {std::int64_t{i}}));
    must(client_->run(
        "insert into goods values (?1, 1) on conflict (id) do update set name = -name - 1",
        {std::int64_t{i}}));
    must(client_->run("delete from goods where id = ?1", {std::int64_t{i - 5}}));
  }
  EXPECT_EQ(shop_.rows("select max(n) from (select count(*) as n from vestige_change group by tx, "
                       "iif(op in ('D', 'I'), 'r', op))"),
            "2\n");
  EXPECT_EQ(shop_.rows("select count(distinct tx) from vestige_change"), "1495\n");
  EXPECT_EQ(shop_.rows("select count(*), max(id) from vestige_change"), "1795|1795\n");
}

TEST_F(CaptureTx, NeverMergesStatementsOfTwoConnections) {
  make("create table goods (id integer primary key, name); create table other (a)");
  const auto second = shop_.connect();
  // Their counts of changes never meet; where they do, docs/sqlite.md says what happens.
  must(
      second->script("insert into other with recursive n (i) as (select 1 union all select i + 1 "
                     "from n where i < 5000) select i from n"));
  for (int i = 0; i < 200; ++i) {
    must(client_->run("insert into goods (name) values (1)"));
    must(second->run("insert into goods (name) values (2)"));
    if (i % 3 == 0) must(second->run("insert into other values (1)"));
    if (i % 7 == 0) must(client_->run("insert into other values (1), (2)"));
  }
  EXPECT_EQ(shop_.rows("select count(*), count(distinct tx) from vestige_change"), "400|400\n");
}

TEST_F(CaptureTx, NeverSplitsAStatement) {
  std::string wide;
  for (int i = 0; i < 70; ++i) wide += fmt::format(", c{} default {}", i, i);
  make("create table goods (id integer primary key, name unique, n default 0" + wide + ")");
  one_tx(
      "insert into goods (id, name) with recursive n (i) as (select 1 union all select i + 1 from "
      "n where i < 3000) select i, i from n");
  one_tx("update goods set n = n + 1, c0 = id, c20 = id, c40 = n, c69 = id where id % 2");
  one_tx("insert or ignore into goods (id, name) values (3001, 'a'), (5, 'b'), (3002, 'c')");
  one_tx(
      "insert into goods (id, name) values (4000, 'a1'), (5, 'b'), (4001, '7'), (4002, 'x') on "
      "conflict do update set n = n + 1");
  one_tx("replace into goods (id, name) select id, name from goods where id < 20");
  one_tx("update or replace goods set name = name + 1 where id < 50");
  one_tx("update goods set id = -id");
  one_tx("delete from goods where id > -1500");
  one_tx("delete from goods");
}

TEST_F(CaptureTx, RecordsCascadesInTheirStatement) {
  make(
      "create table goods (id integer primary key, name);"
      "create table line (id integer primary key, goods references goods on delete cascade on "
      "update cascade);"
      "create table note (id integer primary key, line references line on delete set null);"
      "insert into goods values (1, 'ink'), (2, 'pen'); insert into line values (1, 1), (2, 1), "
      "(3, 2); insert into note values (1, 1), (2, 2), (3, 3)",
      {"goods", "line", "note"});
  Witness witness(shop_.db(), {"goods", "line", "note"});
  one_tx("update goods set id = 9 where id = 2");
  one_tx("delete from goods where id = 9");
  EXPECT_EQ(witness.look(), "");
  one_tx("delete from goods");
  EXPECT_EQ(witness.look(), "");
  EXPECT_EQ(shop_.rows("select count(*) from vestige_change where op = 'D'"), "5\n");
  EXPECT_EQ(shop_.rows("select count(*) from note where line is null"), "3\n");
}

TEST_F(CaptureTx, RecordsWhatTheApplicationsTriggersWrite) {
  make(
      "create table goods (id integer primary key, name, n default 0); create table diary (id "
      "integer primary key, what);"
      "create trigger a after insert on goods begin insert into diary (what) values (NEW.name); "
      "update goods set n = n + 1, name = lower(name) where id = NEW.id; end;"
      "create trigger b after update of name on goods when NEW.n < 3 begin insert into diary "
      "(what) values (OLD.name || NEW.name); update goods set n = n + 1, name = name || '.' where "
      "id = NEW.id; end;"
      "create trigger c after delete on goods begin delete from diary where what = OLD.name; "
      "insert into diary (what) values (OLD.name); end;"
      "create trigger d before insert on goods when NEW.name = 'no' begin select raise(ignore); "
      "end;"
      "create trigger e before delete on goods when OLD.name = 'never' begin select raise(abort, "
      "'kept'); end",
      {"goods", "diary"});
  Witness witness(shop_.db(), {"goods", "diary"});
  for (const char* sql :
       {"insert into goods (name) values ('INK'), ('PEN')",
        "update goods set name = 'nib' where id = 1", "insert into goods (name) values ('no')",
        "replace into goods values (2, 'CAP', 0)",
        "insert into goods (id, name) values (7, 'x') on conflict do nothing",
        "delete from goods where id = 2"}) {
    must(client_->script(sql));
    EXPECT_EQ(witness.look(), "") << sql;
  }
  must(client_->script("insert into goods values (8, 'never', 9)"));
  must(client_->script("update goods set name = 'never' where id = 8"));
  EXPECT_FALSE(client_->run("delete from goods").has_value());
  EXPECT_EQ(witness.look(), "");
}

TEST_F(CaptureTx, LeavesNothingOfWhatIsRolledBack) {
  make(
      "create table goods (id integer primary key, name unique); insert into goods values (1, "
      "'ink'), (2, 'pen')");
  Witness witness(shop_.db(), {"goods"});
  must(
      client_->script("begin; insert into goods values (3, 'nib'); replace into goods values (1, "
                      "'pen'); delete from goods; rollback"));
  EXPECT_EQ(shop_.changes(), "");
  EXPECT_EQ(witness.look(), "");
  must(client_->script(
      "begin; insert into goods values (3, 'nib'); savepoint s; replace into goods values (1, "
      "'pen');"
      "rollback to s; savepoint t; delete from goods where id = 2; release t; commit"));
  EXPECT_EQ(shop_.changes(),
            "INSERT {\"id\":3} {\"id\":3,\"name\":\"nib\"}\nDELETE {\"id\":2} "
            "{\"id\":2,\"name\":\"pen\"}\n");
  EXPECT_EQ(witness.look(), "");
  EXPECT_FALSE(
      client_->run("insert or rollback into goods values (9, 'cap'), (1, 'x')").has_value());
  EXPECT_EQ(witness.look(), "");
  EXPECT_EQ(shop_.last_change(), 2);
}

TEST_F(CaptureTx, RecordsWritesThroughAnAttachedDatabase) {
  make(
      "create table goods (id integer primary key, name unique); insert into goods values (1, "
      "'ink')");
  Witness witness(shop_.db(), {"goods"});
  const auto outside = must(Sqlite::open(":memory:"));
  must(outside->script("attach '" + shop_.directory().file("shop.db") +
                       "' as \"far away\"; create table goods (id, name)"));
  must(
      outside->script("insert into goods values (5, 'mine'); replace into \"far away\".goods "
                      "values (2, 'ink'); update \"far away\".goods set name = 'pen'"));
  EXPECT_EQ(witness.look(), "");
  EXPECT_EQ(shop_.changes(),
            "DELETE {\"id\":1} {\"id\":1,\"name\":\"ink\"}\nINSERT {\"id\":2} "
            "{\"id\":2,\"name\":\"ink\"}\n"
            "UPDATE {\"id\":2} {\"name\":\"ink\"} {\"name\":\"pen\"}\n");
}

TEST_F(CaptureTx, RecordsEveryCommitOfSeveralProcesses) {
  for (const char* mode : {"wal", "delete"}) {
    Shop shop;
    shop.run(
        fmt::format("pragma journal_mode = {}; pragma synchronous = off; create table goods (id "
                    "integer primary key, who, n)",
                    mode));
    shop.with_trail();
    shop.track("goods");
    const std::string file = shop.directory().file("shop.db");
    std::vector<pid_t> children;
    for (int who = 0; who < 3; ++who) {
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        auto own = Sqlite::open(file);
        bool fine = own.has_value();
        for (std::int64_t i = 0; fine && i < 40; ++i) {
          fine = (*own)->script("pragma busy_timeout = 60000; begin immediate").has_value() &&
                 (*own)
                     ->run("insert into goods (who, n) values (?1, ?2), (?1, -1)",
                           {std::int64_t{who}, i})
                     .has_value() &&
                 (*own)
                     ->run("delete from goods where who = ?1 and n = -1", {std::int64_t{who}})
                     .has_value() &&
                 (*own)->script(i % 5 == 4 ? "rollback" : "commit").has_value();
        }
        _exit(fine ? 0 : 1);
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = 0;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(shop.rows("select count(*), max(id) from vestige_change"), "288|288\n") << mode;
    EXPECT_EQ(shop.rows("select count(*) from goods"), "96\n") << mode;
    EXPECT_EQ(shop.rows("select v1, v2 from vestige_change where op = 'I' and v2 >= 0 except "
                        "select who, n from goods"),
              "");
    // No transaction has changes of two writers.
    EXPECT_EQ(shop.rows("select count(*) from (select tx from vestige_change group by tx having "
                        "count(distinct v1) > 1)"),
              "0\n");
  }
}

// What may belong to a transaction too: of the same millisecond, and neither says a context.
TEST(DoubtfulNeighbours, AreOfTheSameMillisecond) {
  Shop shop;
  shop.run("create table goods (id integer primary key, n)");
  shop.with_trail();
  shop.track("goods");
  shop.run(
      "insert into vestige_context (id, at) values (1, 1000);"
      "insert into vestige_change (tbl, shape, op, at, tx, context, key, v0) values"
      " (1, 1, 'I', 1000, 1, null, 1, 1), (1, 1, 'I', 1000, 2, null, 2, 2),"
      " (1, 1, 'I', 1000, 2, null, 3, 3), (1, 1, 'I', 1000, 4, 1, 4, 4),"
      " (1, 1, 'I', 1000, 5, null, 5, 5), (1, 1, 'I', 1001, 6, null, 6, 6)");
  using Ids = std::vector<std::int64_t>;
  EXPECT_EQ(must(doubtful_neighbours(shop.db(), 1)), (Ids{2, 5}));
  EXPECT_EQ(must(doubtful_neighbours(shop.db(), 2)), (Ids{1, 5}));
  EXPECT_EQ(must(doubtful_neighbours(shop.db(), 4)), Ids{});
  EXPECT_EQ(must(doubtful_neighbours(shop.db(), 6)), Ids{});
  EXPECT_EQ(must(doubtful_neighbours(shop.db(), 99)), Ids{});
}

}  // namespace
}  // namespace vestige
