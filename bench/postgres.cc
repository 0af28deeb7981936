// What capture costs a PostgreSQL database: CPU time of the server's processes, time, WAL and bytes per change,
// for the work of a bank, statements over many rows and a wide table; and what the answers for one row cost in
// a long trail. It starts servers of its own. What the figures mean: docs/performance.md.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "bench/postgres_read.h"
#include "bench/postgres_setup.h"
#include "bench/postgres_trail.h"
#include "bench/postgres_work.h"
#include "bench/shop.h"
#include "test/postgres_server.h"

namespace vestige::bench {
namespace {

struct Options {
  int rounds = 5;
  int connections = 4;
  int transactions = 8'000;  // of each setup in each round
  int rows = 200'000;        // of accounts
  int inserted = 500'000;
  int wide_rows = 300;
  int trail = 3'000'000;  // changes, for the answers; 0: leave them out
  int asked = 200;
  std::string install = "build/sql/postgres/install.sql";
  std::string native;
  std::vector<std::string> variants;
  std::vector<std::string> only;
  std::vector<std::string> work;
};

std::vector<Setup> chosen(const Options& options, bool bulk) {
  std::vector<Setup> out = setups(options.install, options.native, options.variants);
  std::erase_if(out, [&](const Setup& setup) {
    if (setup.name == "untracked") return false;
    if (bulk && setup.name == "vestige, no context") return true;
    return !options.only.empty() &&
           std::find(options.only.begin(), options.only.end(), setup.name) == options.only.end();
  });
  return out;
}

bool wanted(const Options& options, const std::string& work) {
  return options.work.empty() ||
         std::find(options.work.begin(), options.work.end(), work) != options.work.end();
}

// One line for each setup: the median of the rounds, each against the untracked of the same round.
void print(const std::string& title, const std::vector<Setup>& setups,
           const std::vector<std::vector<Cost>>& costs) {
  fmt::print("{}\n  {:20}{:>8}{:>9}  {:17}{:>8}{:>8}{:>8}{:>7}{:>7}{:>8}\n", title, "", "CPU us",
             "extra", "min .. max", "x CPU", "x time", "WAL B", "heap", "index", "context");
  const auto median = [&](std::size_t setup, auto figure) {
    std::vector<double> values;
    for (std::size_t round = 0; round < costs[setup].size(); ++round)
      values.push_back(figure(costs[setup][round], costs[0][round]));
    return spread(values);
  };
  for (std::size_t i = 0; i < setups.size(); ++i) {
    const Spread cpu = median(i, [](const Cost& c, const Cost&) { return c.micros / c.changes; });
    if (i == 0) {
      const Spread wal = median(i, [](const Cost& c, const Cost&) { return c.wal / c.changes; });
      fmt::print("  {:20}{:8.2f}{:>9}  {:17}{:>8}{:>8}{:8.0f}\n", setups[i].name, cpu.median, "",
                 fmt::format("({:.1f} .. {:.1f})", cpu.least, cpu.most), "", "", wal.median);
      continue;
    }
    const Spread extra =
        median(i, [](const Cost& c, const Cost& u) { return (c.micros - u.micros) / c.changes; });
    const Spread wal =
        median(i, [](const Cost& c, const Cost& u) { return (c.wal - u.wal) / c.changes; });
    Space grown;
    double changes = 0;
    for (const Cost& cost : costs[i]) {
      changes += cost.changes;
      grown.heap += cost.grown.heap;
      grown.index += cost.grown.index;
      grown.context += cost.grown.context;
    }
    fmt::print("  {:20}{:8.2f}{:9.2f}  {:17}{:8.2f}{:8.2f}{:8.0f}{:7.0f}{:7.0f}{:8.0f}\n",
               setups[i].name, cpu.median, extra.median,
               fmt::format("{:.1f} .. {:.1f}", extra.least, extra.most),
               median(i, [](const Cost& c, const Cost& u) { return c.micros / u.micros; }).median,
               median(i, [](const Cost& c, const Cost& u) { return c.seconds / u.seconds; }).median,
               wal.median, grown.heap / changes, grown.index / changes, grown.context / changes);
  }
  std::fflush(stdout);
}

// A server with an empty bank, and a database beside it for each way to record.
class Bank {
 public:
  Bank(const Options& options, const std::vector<Setup>& setups, bool sync)
      : server_({"shared_buffers=512MB", "max_wal_size=20GB", "checkpoint_timeout=1h",
                 "autovacuum=off", "bgwriter_lru_maxpages=0",
                 fmt::format("fsync={}", sync ? "on" : "off")}) {
    server_.execute("create database bank");
    {
      Session db(server_.url("bank"));
      create_bank(db, options.rows, options.wide_rows);
    }
    for (std::size_t i = 0; i < setups.size(); ++i) {
      server_.execute(fmt::format("create database bank_{} template bank", i));
      Session db(url(i));
      setups[i].install(db);
    }
    server_.execute("checkpoint");
  }
  std::string url(std::size_t setup) const { return server_.url(fmt::format("bank_{}", setup)); }
  std::string copy(std::size_t setup) const {
    Session db(server_.url());
    db.run("drop database if exists copy");
    db.run(fmt::format("create database copy template bank_{}", setup));
    return server_.url("copy");
  }
  std::string version() const { return Session(server_.url()).text("show server_version"); }

 private:
  PostgresServer server_;
};

void transfers(const Options& options, const Bank& bank, const std::vector<Setup>& setups,
               bool sync) {
  std::vector<std::unique_ptr<Tellers>> tellers;
  for (std::size_t i = 0; i < setups.size(); ++i) {
    tellers.push_back(
        std::make_unique<Tellers>(setups[i], bank.url(i), options.connections, options.rows, sync));
    tellers.back()->work(50 * options.connections);  // warm
  }
  std::vector<std::vector<Cost>> costs(setups.size());
  for (int round = 0; round < options.rounds; ++round)
    for (std::size_t i = 0; i < setups.size(); ++i) {
      const std::size_t turn = (i + static_cast<std::size_t>(round)) % setups.size();
      costs[turn].push_back(tellers[turn]->work(options.transactions));
    }
  print(fmt::format("Transfers: 2 UPDATEs and an INSERT each, {} connections, prepared, "
                    "synchronous_commit = {}",
                    options.connections, sync ? "on, fsync = on" : "off"),
        setups, costs);
}

void statements(const Options& options, const Bank& bank, const std::vector<Setup>& setups) {
  for (const Statements& work : bulk(options.rows, options.inserted, options.wide_rows)) {
    std::vector<std::vector<Cost>> costs(setups.size());
    for (int round = 0; round < options.rounds; ++round)
      for (std::size_t i = 0; i < setups.size(); ++i) {
        const std::size_t turn = (i + static_cast<std::size_t>(round)) % setups.size();
        costs[turn].push_back(run_bulk(setups[turn], work, bank.copy(turn)));
      }
    print(work.name, setups, costs);
  }
}

void run(const Options& options) {
  const auto all = chosen(options, false);
  const auto in_bulk = chosen(options, true);
  fmt::print(
      "Capture: CPU time of the server's processes per change, user and system, median of {} "
      "rounds in rotating\n"
      "order; beyond the untracked of the same round, with the spread; times as much, CPU and time "
      "by the clock;\n"
      "bytes per change of WAL (beyond untracked, no page images), and of the trail's heap, "
      "indexes and contexts.\n\n",
      options.rounds);
  if (wanted(options, "sync")) transfers(options, Bank(options, all, true), all, true);
  if (wanted(options, "transfers")) transfers(options, Bank(options, all, false), all, false);
  if (wanted(options, "statements")) statements(options, Bank(options, in_bulk, false), in_bulk);
  if (wanted(options, "answers") && options.trail > 0)
    answers(options.install, options.native, options.trail, options.rows, options.asked);
  if (wanted(options, "past")) past(options.install, 5 * options.rows, options.rounds);
  if (wanted(options, "history")) histories(options.install, options.rounds);
  if (wanted(options, "erase")) erasures(options.install, options.rounds);
  if (wanted(options, "truncate")) truncations(options.install, 300, options.rounds);
  if (wanted(options, "seal")) seals(options.install, 20'000, options.rounds);
}

}  // namespace
}  // namespace vestige::bench

int main(int argc, char** argv) {
  vestige::bench::Options options;
  CLI::App app("What capture costs a PostgreSQL database, and what the answers for one row cost.");
  app.add_option("--rounds", options.rounds, "how often each is measured")
      ->check(CLI::Range(1, 99));
  app.add_option("--connections", options.connections, "of the transfers")
      ->check(CLI::Range(1, 64));
  app.add_option("--transactions", options.transactions, "transfers of each setup in each round");
  app.add_option("--rows", options.rows, "accounts, all changed by one UPDATE")
      ->check(CLI::Range(100, 10'000'000));
  app.add_option("--inserted", options.inserted, "rows of the INSERT");
  app.add_option("--wide", options.wide_rows, "rows of the wide table");
  app.add_option("--trail", options.trail, "changes in the trail that is asked; 0: leave it out");
  app.add_option("--asked", options.asked, "rows that are asked for");
  app.add_option("--install", options.install, "the script that installs the trail");
  app.add_option("--native", options.native,
                 "the script that installs the native engine: one more setup; the server must have "
                 "the module (pgext/stage)");
  app.add_option("--variant", options.variants, "another such script: one more setup");
  app.add_option("--only", options.only, "just these setups and untracked, by name");
  app.add_option(
      "--work", options.work,
      "just these of: sync, transfers, statements, answers, past, history, erase, truncate,"
      " seal");
  CLI11_PARSE(app, argc, argv);
  return vestige::bench::guarded([&] { vestige::bench::run(options); });
}
