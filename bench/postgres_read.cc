#include "bench/postgres_read.h"

#include <fmt/format.h>

#include <chrono>
#include <vector>

#include "bench/postgres_session.h"
#include "bench/postgres_setup.h"
#include "bench/shop.h"
#include "test/postgres_server.h"

namespace vestige::bench {
namespace {

// Everything is written by one INSERT … SELECT of the trail's owner: what comes of it is what capture writes,
// one transaction for every thousand changes, at twenty changes a second.
void fill(Session& db, int changes, int rows) {
  db.run(
      fmt::format("insert into vestige.context (id, tx, xid, at, pid, db_user, fields)"
                  " select i, i * 1000, pg_current_xact_id(), '2026-01-01+00'::timestamptz + i * "
                  "interval '50 s', 1, 'bank',"
                  "   jsonb_build_object('actor', 'teller-' || i % 40, 'reason', 'transfer')::text"
                  " from generate_series(1, {0}) i",
                  changes / 1000 + 1));
  db.run(fmt::format(
      "insert into vestige.change (id, at, xid, context, tracked, shape, op, key_hash, key, "
      "old_row, new_row)"
      " select i, '2026-01-01+00'::timestamptz + i * interval '50 ms', pg_current_xact_id(), i / "
      "1000 + 1, 1, 1, 'U',"
      "   hashtextextended(k::text, 1), k::text, format('(,,,,,%s.00,,%s,,\"2026-01-01 "
      "12:00:00.123456+00\")', i % 9973, i % 7),"
      "   format('(,,,,,%s.00,,%s,,\"2026-01-01 12:00:00.123456+00\")', i % 9967, i % 7 + 1)"
      " from (select i, 1 + (i * 7919) % {1} as k from generate_series(1::bigint, {0}) i) s",
      changes, rows));
  db.run(fmt::format("select setval('vestige.change_id', {})", changes));
  db.run("vacuum (analyze) vestige.change");
  db.run("vacuum (analyze) vestige.context");
}

struct Question {
  std::string name;
  std::string sql;  // $1: the key
};

}  // namespace

void answers(const std::string& install, const std::string& native, int changes, int rows,
             int asked) {
  const PostgresServer server(
      {"shared_buffers=512MB", "max_wal_size=20GB", "checkpoint_timeout=1h", "autovacuum=off"});
  Session db(server.url());
  create_bank(db, 100, 1);
  const std::string engine = native.empty() ? "vestige" : "vestige, native";
  for (const Setup& setup : setups(install, native, {}))
    if (setup.name == engine) setup.install(db);
  fill(db, changes, rows);
  fmt::print(
      "Answers in a trail of {} changes of {} rows, by the server, {} rows in random order; "
      "milliseconds\n"
      "  {:36}{:>10}{:>10}{:>10}{:>12}\n",
      changes, rows, asked, "", "p50", "p99", "most", "CPU p50");
  const std::string tracked =
      db.text("select id from vestige.tracked where table_name = 'accounts'");
  const std::vector<Question> questions = {
      {"ids of the changes of a row",
       fmt::format("select count(*) from vestige.row_changes({}, $1)", tracked)},
      {"log of a row", fmt::format("select * from vestige.changes where id = any (array(select "
                                   "vestige.row_changes({}, $1))) order by id",
                                   tracked)},
      {"the newest 20 ids",
       "select id from vestige.change where $1 <> '' order by id desc limit 20"},
      {"one change by its id", "select * from vestige.change where id = $1::bigint * 7"}};
  int number = 0;
  for (const Question& question : questions) {
    const std::string name = fmt::format("question_{}", ++number);
    db.prepare(name, question.sql);
    Dice dice;
    std::vector<double> clock, cpu;
    for (int i = -10; i < asked; ++i) {
      const std::string key = std::to_string(1 + dice.below(rows));
      const double cpu_before = db.cpu();
      const auto start = std::chrono::steady_clock::now();
      db.execute(name, {key});
      const std::chrono::duration<double, std::milli> took =
          std::chrono::steady_clock::now() - start;
      if (i < 0) continue;  // warm
      clock.push_back(took.count());
      cpu.push_back((db.cpu() - cpu_before) / 1e3);
    }
    fmt::print("  {:36}{:10.2f}{:10.2f}{:10.2f}{:12.2f}\n", question.name, percentile(clock, 0.5),
               percentile(clock, 0.99), percentile(clock, 1), percentile(cpu, 0.5));
    std::fflush(stdout);
  }
}

void past(const std::string& install, int rows, int rounds) {
  const PostgresServer server(
      {"shared_buffers=512MB", "max_wal_size=20GB", "checkpoint_timeout=1h", "autovacuum=off"});
  Session db(server.url());
  create_bank(db, rows, 1);
  setups(install, "", {})[1].install(db);
  const int changed = rows / 10;
  const auto cpu = [&](const std::string& sql) {
    const double before = db.cpu();
    db.run(sql);
    return (db.cpu() - before) / 1e3;
  };
  const std::string update = fmt::format(
      "update accounts set balance = balance + 1, version = version + 1, updated_at = "
      "clock_timestamp() where id % 10 = 3");
  std::vector<double> updates, reverts, scans, pasts;
  for (int i = 0; i < rounds; ++i) {
    db.run("vacuum (analyze) accounts");
    updates.push_back(cpu(update));
    db.run("vacuum (analyze) vestige.change");
    const auto tx = db.text("select max(tx) from vestige.context");
    reverts.push_back(cpu("select vestige.revert(" + tx + ")"));
  }
  const auto upto = db.text("select max(id) from vestige.change");
  db.run(update);
  db.run("vacuum (analyze) accounts");
  db.run("vacuum (analyze) vestige.change");
  for (int i = 0; i < rounds; ++i) {
    scans.push_back(cpu("copy (select * from accounts) to '/dev/null'"));
    pasts.push_back(cpu("copy (select * from vestige.as_of_change(null::accounts, " + upto +
                        ")) to '/dev/null'"));
  }
  fmt::print("A table of {} rows, {} of them changed; CPU of the server, ms, median (min .. max)\n",
             rows, changed);
  const auto print = [](const std::string& what, const std::vector<double>& values,
                        const std::vector<double>& beside) {
    const Spread s = spread(values);
    fmt::print("  {:36}{:8.0f}  {:20}{}\n", what, s.median,
               fmt::format("({:.0f} .. {:.0f})", s.least, s.most),
               beside.empty() ? "" : fmt::format("x {:.2f}", s.median / spread(beside).median));
  };
  print("select * from accounts", scans, {});
  print("as_of, before the changes", pasts, scans);
  print("the UPDATE, tracked", updates, {});
  print("revert of it", reverts, updates);
}

}  // namespace vestige::bench
