#include "bench/postgres_read.h"

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <vector>

#include "bench/postgres_session.h"
#include "bench/postgres_setup.h"
#include "bench/shop.h"
#include "test/postgres_server.h"
#include "vestige/db/database.h"
#include "vestige/trail/changes.h"

namespace vestige::bench {
namespace {

constexpr int kTogether = 3;  // changes of a transaction

// Everything is written by one INSERT … SELECT of the trail's owner: what comes of it is what capture writes for twenty
// sessions, at twenty changes a second.
void fill(Session& db, int changes, int rows) {
  db.run(fmt::format(
      "insert into vestige.context (id, tx, xid, at, pid, db_user, fields)"
      " select i * {1} + 1, i * {1} + 1, (1000 + i)::text::xid8,"
      "   '2026-01-01+00'::timestamptz + i * {1} * interval '50 ms', 4000 + i % 20, 'bank',"
      "   jsonb_build_object('actor', 'teller-' || i % 4000, 'reason', 'transfer')::text"
      " from generate_series(0, {0}) i",
      changes / kTogether, kTogether));
  db.run(fmt::format(
      "insert into vestige.change (id, at, xid, context, tracked, shape, op, key_hash, key, "
      "old_row, new_row)"
      " select i, '2026-01-01+00'::timestamptz + i * interval '50 ms',"
      "   (1000 + (i - 1) / {2})::text::xid8, (i - 1) / {2} * {2} + 1, 1, 1, 'U',"
      "   hashtextextended(k::text, 1), k::text, format('(,,,,,%s.00,,%s,,\"2026-01-01 "
      "12:00:00.123456+00\")', i % 9973, i % 7),"
      "   format('(,,,,,%s.00,,%s,,\"2026-01-01 12:00:00.123456+00\")', i % 9967, i % 7 + 1)"
      " from (select i, 1 + (i * 7919) % {1} as k from generate_series(1::bigint, {0}) i) s",
      changes, rows, kTogether));
  db.run(fmt::format("select setval('vestige.change_id', {})", changes));
  db.run("vacuum (analyze) vestige.change");
  db.run("vacuum (analyze) vestige.context");
}

// As `vestige seal` and vestige.maintain() do, at last all of it.
void index_who(Session& db, int changes) {
  const double before = db.cpu();
  while (db.number("select vestige.index_who()") > 0) {
  }
  fmt::print("index of who: {:.2f} us of CPU a change, {:.1f} bytes a change\n",
             (db.cpu() - before) / changes,
             db.number("select pg_total_relation_size('vestige.who')") / changes);
}

struct Question {
  std::string name;
  std::function<void(Dice&)> ask;
  int pid;  // who answers; 0: a process of its own each time
};

// Reads what is selected to its end, as the program does.
void read_all(Database& db, const Selection& selection) {
  auto changes = need(read_changes(db, selection));
  while (need(changes->next()).has_value()) {
  }
}

void measure(const Question& question, int asked) {
  Dice dice;
  std::vector<double> clock, cpu;
  for (int i = -10; i < asked; ++i) {
    const double cpu_before = question.pid == 0 ? 0 : cpu_of(question.pid);
    const auto start = std::chrono::steady_clock::now();
    question.ask(dice);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (i < 0) continue;  // warm
    clock.push_back(took.count());
    cpu.push_back(question.pid == 0 ? 0 : (cpu_of(question.pid) - cpu_before) / 1e3);
  }
  fmt::print("  {:52}{:10.2f}{:10.2f}{:10.2f}{:12.2f}\n", question.name, percentile(clock, 0.5),
             percentile(clock, 0.99), percentile(clock, 1), percentile(cpu, 0.5));
  std::fflush(stdout);
}

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
      "Answers in a trail of {} changes of {} rows, {} asked in random order; milliseconds by the "
      "clock, and of\n"
      "the server's CPU\n  {:52}{:>10}{:>10}{:>10}{:>12}\n",
      changes, rows, asked, "", "p50", "p99", "most", "CPU p50");
  const auto program = need(open_database(server.url()));
  const auto server_pid =
      static_cast<int>(need(scalar_integer(*program, "select pg_backend_pid()")));
  const int own_pid = static_cast<int>(db.number("select pg_backend_pid()"));
  const auto tracked = static_cast<std::int64_t>(
      db.number("select id from vestige.tracked where table_name = 'accounts'"));
  db.prepare("ids", fmt::format("select count(*) from vestige.row_changes({}, $1)", tracked));
  db.prepare("history",
             "select count(old_values), count(new_values) from vestige.history('accounts', $1)");
  db.prepare("newest", "select id from vestige.change where $1 <> '' order by id desc limit 20");
  db.prepare("one", "select * from vestige.change where id = $1::bigint * 7");
  const auto any_row = [&](Dice& dice) { return std::to_string(1 + dice.below(rows)); };
  Selection row;
  row.table = tracked;
  Selection tx;
  Selection actor;
  actor.limit = 20;
  const Question log{"log of a row, by the program",
                     [&](Dice& dice) {
                       row.key = {{"id", Token{any_row(dice)}}};
                       read_all(*program, row);
                     },
                     server_pid};
  measure({"ids of the changes of a row", [&](Dice& dice) { db.execute("ids", {any_row(dice)}); },
           own_pid},
          asked);
  measure(
      {"the newest 20 ids", [&](Dice& dice) { db.execute("newest", {any_row(dice)}); }, own_pid},
      asked);
  measure(
      {"one change by its id", [&](Dice& dice) { db.execute("one", {any_row(dice)}); }, own_pid},
      asked);
  measure(log, asked);
  measure({"vestige.history of a row", [&](Dice& dice) { db.execute("history", {any_row(dice)}); },
           own_pid},
          asked);
  measure({"changes of a transaction, by the program",
           [&](Dice& dice) {
             tx.tx = 1 + dice.below(changes / kTogether) * kTogether;
             read_all(*program, tx);
           },
           server_pid},
          asked);
  const Question last{"the last 20 of an actor, by the program",
                      [&](Dice& dice) {
                        actor.who = {fmt::format("teller-{}", dice.below(4000))};
                        read_all(*program, actor);
                      },
                      server_pid};
  measure({last.name + ", not indexed", last.ask, server_pid}, std::max(1, asked / 25));
  index_who(db, changes);
  measure(last, asked);
  const Question anew{"log of a row, on a new connection",
                      [&](Dice& dice) {
                        const auto fresh = need(open_database(server.url()));
                        row.key = {{"id", Token{any_row(dice)}}};
                        read_all(*fresh, row);
                      },
                      0};
  measure(anew, asked);
  db.run(
      "do $$ declare edge timestamptz := (select max(upto) from vestige.partitions());"
      " begin for i in 1..60 loop"
      "   perform vestige.attach_partition(vestige.partition_table(vestige.partition_name(edge)), "
      "edge,"
      "     edge + interval '1 month');"
      "   edge := edge + interval '1 month'; end loop; end $$");
  measure({"the same in 60 partitions more", anew.ask, 0}, asked);
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
