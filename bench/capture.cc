// What capture costs the application: CPU time per change of three workloads on a table of ten columns,
// untracked, with Vestige, and with the trigger that people write by hand. What the figures mean:
// docs/performance.md.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "bench/shop.h"
#include "test/temporary_directory.h"
#include "vestige/db/database.h"
#include "vestige/trail/install.h"
#include "vestige/trail/track.h"

namespace vestige::bench {
namespace {

struct Options {
  int rounds = 5;
  std::int64_t rows = 100'000;   // in the table, and of the UPDATE of all
  std::int64_t single = 20'000;  // single-row UPDATEs
  std::int64_t inserted = 500'000;
  std::vector<int> opened = {10, 30, 150};
  std::vector<std::string> variants;
  std::vector<std::string> only;
};

// A way to record changes, set up in a database that has the table already.
struct Setup {
  std::string name;
  std::function<void(const std::string& path)> install;
};

struct Workload {
  std::string name;
  std::int64_t changes;
  std::function<void(Connection& db)> run;
};

struct Measured {
  std::vector<double> micros;  // CPU per change, one for each round
  double bytes = 0;            // the file's growth per change, last round
};

void install_vestige(const std::string& path) {
  auto db = need(open_database("sqlite:" + path));
  need(install(*db));
  auto transaction = need(Transaction::begin(*db));
  need(track(*db, "orders", Policy{}));
  need(transaction.commit());
}

// The minimal trigger: both rows as JSON. It rounds reals to 15 digits and fails on a BLOB.
void install_peer(const std::string& path, bool index) {
  Connection db(path);
  const auto object = [](std::string_view side) {
    std::string out;
    for (const std::string_view column : {"id", "customer_id", "name", "sku", "price", "quantity",
                                          "status", "note", "created_at", "updated_at"})
      out +=
          fmt::format("{}'{}', {}.{}", out.empty() ? "json_object(" : ", ", column, side, column);
    return out + ")";
  };
  db.run(
      "create table audit (id integer primary key, table_name text, op text, row_id integer,"
      " at text, old text, new text)");
  if (index) db.run("create index audit_row on audit (table_name, row_id)");
  const auto trigger = [&](std::string_view op, std::string_view side, std::string_view before,
                           std::string_view after) {
    db.run(
        fmt::format("create trigger orders_{0} after {0} on orders begin"
                    " insert into audit (table_name, op, row_id, at, old, new) values"
                    " ('orders', '{0}', {1}.id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), {2}, {3});"
                    " end",
                    op, side, before, after));
  };
  trigger("insert", "new", "null", object("new"));
  trigger("update", "old", object("old"), object("new"));
  trigger("delete", "old", object("old"), "null");
}

// Vestige with its SQL altered by a script: for trying a design out.
Setup variant(const std::string& file) {
  return {std::filesystem::path(file).stem(), [file](const std::string& path) {
            std::stringstream sql;
            sql << std::ifstream(file).rdbuf();
            install_vestige(path);
            Connection(path).run(sql.str());
          }};
}

std::vector<Setup> setups(const Options& options) {
  std::vector<Setup> out = {
      {"untracked", [](const std::string&) {}},
      {"vestige", install_vestige},
      {"json trigger", [](const std::string& path) { install_peer(path, false); }},
      {"json trigger, index", [](const std::string& path) { install_peer(path, true); }}};
  for (const std::string& file : options.variants) out.push_back(variant(file));
  const auto unwanted = [&](const Setup& setup) {
    return std::find(options.only.begin(), options.only.end(), setup.name) == options.only.end();
  };
  if (!options.only.empty()) std::erase_if(out, unwanted);
  if (out.empty()) give_up("nothing of that name to measure");
  return out;
}

std::vector<Workload> workloads(const Options& options) {
  std::vector<Workload> out;
  if (options.single > 0)
    out.push_back({"UPDATE of one row, autocommit", options.single,
                   [&](Connection& db) { update_orders(db, options.single, options.rows); }});
  if (options.rows > 0)
    out.push_back({fmt::format("UPDATE of {} rows in one statement", options.rows), options.rows,
                   [](Connection& db) {
                     db.run(
                         "update orders set price = price * 1.1, status = 'sale',"
                         " updated_at = '2026-01-02 12:00:00'");
                   }});
  if (options.inserted > 0)
    out.push_back({fmt::format("INSERT of {} rows, one transaction", options.inserted),
                   options.inserted, [&](Connection& db) { insert_orders(db, options.inserted); }});
  return out;
}

void measure(const Setup& setup, const Workload& workload, const std::string& empty,
             const std::string& path, Measured& out) {
  std::filesystem::copy_file(empty, path);
  setup.install(path);
  {
    Connection db(path);
    const auto size = [&] {
      db.run("pragma wal_checkpoint(truncate)");
      return static_cast<double>(db.number("pragma page_count") * db.number("pragma page_size"));
    };
    const double before = size();
    const double start = cpu_now();
    workload.run(db);
    const auto changes = static_cast<double>(workload.changes);
    out.micros.push_back((cpu_now() - start) / changes);
    out.bytes = (size() - before) / changes;
  }
  std::filesystem::remove(path);
}

void print(const Workload& workload, const std::vector<Setup>& setups,
           const std::vector<Measured>& measured) {
  fmt::print("{}\n  {:22}{:>8}  {:17}{:>10}{:>10}{:>9}\n", workload.name, "", "median",
             "min .. max", "untracked", "vestige", "bytes");
  const auto named = [&](std::string_view name) -> const Measured* {
    for (std::size_t i = 0; i < setups.size(); ++i)
      if (setups[i].name == name) return &measured[i];
    return nullptr;
  };
  const Measured* untracked = named("untracked");
  const Measured* vestige = named("vestige");
  for (std::size_t i = 0; i < setups.size(); ++i) {
    const Spread cost = spread(measured[i].micros);
    std::string times, share, bytes;
    if (untracked != nullptr && untracked != &measured[i]) {
      times = fmt::format("x {:.2f}", cost.median / spread(untracked->micros).median);
      bytes = fmt::format("{:.0f}", measured[i].bytes - untracked->bytes);
    }
    if (vestige != nullptr && vestige != &measured[i] && untracked != &measured[i])
      share = fmt::format("{:.2f} of", spread(vestige->micros).median / cost.median);
    fmt::print("  {:22}{:8.2f}  {:17}{:>10}{:>10}{:>9}\n", setups[i].name, cost.median,
               fmt::format("{:.2f} .. {:.2f}", cost.least, cost.most), times, share, bytes);
  }
  std::fflush(stdout);
}

void run(const Options& options) {
  const TemporaryDirectory directory;
  const std::string empty = directory.file("empty.db");
  {
    Connection db(empty);
    create_orders(db);
    insert_orders(db, options.rows);
    db.run("pragma wal_checkpoint(truncate)");
  }
  const auto tried = setups(options);
  fmt::print(
      "Capture: CPU time per change in microseconds, user and system, of {} rounds in rotating "
      "order."
      "\nSQLite {}, WAL, synchronous = normal, a table of 10 columns. Columns: against untracked;"
      "\nvestige's cost as a share of this one's; growth of the file per change, without the "
      "table's."
      "\n\n",
      options.rounds, sqlite3_libversion());
  for (const Workload& workload : workloads(options)) {
    std::vector<Measured> measured(tried.size());
    for (int round = 0; round < options.rounds; ++round)
      for (std::size_t i = 0; i < tried.size(); ++i) {
        const std::size_t turn = (i + static_cast<std::size_t>(round)) % tried.size();
        measure(tried[turn], workload, empty, directory.file("shop.db"), measured[turn]);
      }
    print(workload, tried, measured);
  }
}

// Tables of 18 columns of which 15 have no type, in a file of their own.
void make_many(const std::string& path, int tables, const std::string& setup) {
  sqlite3* db = nullptr;
  std::string sql = "begin; create table log (t, op, j);";
  std::string names, object;
  for (int i = 0; i < 15; ++i) {
    names += fmt::format(", c{}", i);
    object += fmt::format("{}'c{}', side.c{}", i == 0 ? "" : ", ", i, i);
  }
  for (int i = 0; i < tables; ++i) {
    sql += fmt::format("create table t{} (id integer primary key, k text unique, p integer{});", i,
                       names);
    for (const std::string op : {"insert", "update", "delete"}) {
      if (setup != "json trigger") break;
      std::string row = object;
      for (std::size_t at = 0; (at = row.find("side", at)) != std::string::npos;)
        row.replace(at, 4, op == "delete" ? "old" : "new");
      sql += fmt::format(
          "create trigger g{}_{} after {} on t{} begin"
          " insert into log values ('t', '{}', json_object({})); end;",
          i, op, op, i, op, row);
    }
  }
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK ||
      sqlite3_exec(db, (sql + "commit").c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    give_up(sqlite3_errmsg(db));
  sqlite3_close(db);
  if (setup != "vestige") return;
  const auto trail = need(open_database("sqlite:" + path));
  need(install(*trail));
  auto transaction = need(Transaction::begin(*trail));
  for (int i = 0; i < tables; ++i) need(track(*trail, fmt::format("t{}", i), Policy{}));
  need(transaction.commit());
}

double open_once(const std::string& path) {
  sqlite3* db = nullptr;
  const double start = cpu_now();
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK ||
      sqlite3_exec(db, "select 1 from t1", nullptr, nullptr, nullptr) != SQLITE_OK)
    give_up(sqlite3_errmsg(db));
  sqlite3_close(db);
  return (cpu_now() - start) / 1000;
}

void run_opening(const Options& options) {
  fmt::print(
      "Opening: CPU time in milliseconds of a connection's first SELECT, tables of 18 columns.\n");
  for (const int tables : options.opened) {
    const TemporaryDirectory directory;
    fmt::print("{} tables\n  {:22}{:>8}  {:17}{:>12}\n", tables, "", "median", "min .. max",
               "json trigger");
    double peer = 0;
    for (const std::string setup : {"untracked", "json trigger", "vestige"}) {
      const std::string path = directory.file(setup + ".db");
      make_many(path, tables, setup);
      std::vector<double> millis;
      for (int i = 0; i < 101; ++i) millis.push_back(open_once(path));
      const Spread cost = spread(millis);
      if (setup == "json trigger") peer = cost.median;
      fmt::print("  {:22}{:8.2f}  {:17}{:>12}\n", setup, cost.median,
                 fmt::format("{:.2f} .. {:.2f}", cost.least, cost.most),
                 setup == "vestige" ? fmt::format("x {:.2f}", cost.median / peer) : "");
    }
  }
}

}  // namespace
}  // namespace vestige::bench

int main(int argc, char** argv) {
  vestige::bench::Options options;
  CLI::App app(
      "What capture costs: CPU time per change, untracked, Vestige, hand-written triggers.");
  app.add_option("--rounds", options.rounds, "how often each is measured")
      ->check(CLI::Range(1, 99));
  app.add_option("--rows", options.rows, "rows of the table, all changed by one UPDATE");
  app.add_option("--single", options.single, "single-row UPDATEs; 0: leave them out");
  app.add_option("--inserted", options.inserted, "rows inserted; 0: leave them out");
  app.add_option("--variant", options.variants, "a script to run after tracking: one more setup");
  app.add_option("--only", options.only, "just these setups, by name");
  app.add_option("--open", options.opened, "opening with so many tables; 0: leave it out");
  CLI11_PARSE(app, argc, argv);
  if (options.opened == std::vector<int>{0}) options.opened.clear();
  return vestige::bench::guarded([&] {
    vestige::bench::run(options);
    if (!options.opened.empty()) vestige::bench::run_opening(options);
  });
}
