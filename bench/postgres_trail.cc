#include "bench/postgres_trail.h"

#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <vector>

#include "bench/postgres_session.h"
#include "bench/postgres_setup.h"
#include "bench/shop.h"
#include "test/postgres_server.h"
#include "test/temporary_directory.h"
#include "vestige/audit/seal.h"
#include "vestige/db/database.h"
#include "vestige/merkle/note.h"

namespace vestige::bench {
namespace {

const std::vector<std::string> kServer = {"shared_buffers=512MB", "max_wal_size=20GB",
                                          "checkpoint_timeout=1h", "autovacuum=off"};

// A trail in the server's own database, nothing in it analysed, and a key to seal it with.
class Trail {
 public:
  explicit Trail(const std::string& install) : server_(kServer), session_(server_.url()) {
    create_bank(session_, 1, 1);
    setups(install, "", {})[1].install(session_);
  }
  Session& db() { return session_; }
  std::string url() const { return server_.url(); }

  /// CPU of the server for some statements, in milliseconds.
  double cpu(const std::string& sql) {
    const double before = session_.cpu();
    session_.run(sql);
    return (session_.cpu() - before) / 1e3;
  }

  /// Seals everything; CPU of the sealer and of its process at the server, in microseconds.
  double seal() {
    const auto db = need(open_database(url()));
    const int pid = static_cast<int>(need(scalar_integer(*db, "select pg_backend_pid()")));
    const std::clock_t start = std::clock();
    const double before = cpu_of(pid);
    const auto sealer =
        need(Sealer::open(*db,
                          need(merkle::NoteSigner::make("bench.example/trail", merkle::KeyKind::log,
                                                        std::string(32, 's'))),
                          directory_.file("key.state")));
    while (!sealer->done()) need(sealer->batch());
    need(sealer->sign());
    return cpu_of(pid) - before + static_cast<double>(std::clock() - start) * 1e6 / CLOCKS_PER_SEC;
  }

 private:
  PostgresServer server_;
  Session session_;
  TemporaryDirectory directory_;
};

void print(const std::string& what, const std::vector<double>& values, const std::string& unit) {
  const Spread s = spread(values);
  fmt::print("  {:52}{:10.2f}  {:22}{}\n", what, s.median,
             fmt::format("({:.2f} .. {:.2f})", s.least, s.most), unit);
  std::fflush(stdout);
}

}  // namespace

void histories(const std::string& install, int rounds) {
  Trail trail(install);
  trail.db().run(
      "create table notes (id int primary key, a int, b text, c numeric, d timestamptz default"
      " now(), e int, f text default 'f', g text, h text, i int); select vestige.track('notes');"
      "insert into notes (id, a, c) select i, 0, 1.5 from generate_series(1, 2000) i;"
      "do $$ begin for n in 1..100 loop update notes set a = n, c = c + 1, b = 'v' || n where id <="
      " 1000; end loop; end $$");
  const std::string history =
      "select count(old_values), count(new_values), count(key) from vestige.history('notes', '7')";
  const std::string view =
      "select count(old_values::text), count(new_values::text), count(key::text) from"
      " vestige.changes where id = any (array(select vestige.row_changes((select id from"
      " vestige.tracked where table_name = 'notes'), '7')))";
  fmt::print("101 changes of a row, of 102,000; CPU of the server\n");
  for (const bool analysed : {false, true}) {
    if (analysed) trail.db().run("analyze");
    trail.cpu(history + ";" + view);  // warm
    std::vector<double> histories, views;
    for (int i = 0; i < rounds; ++i) {
      histories.push_back(trail.cpu(history));
      views.push_back(trail.cpu(view));
    }
    const std::string state = analysed ? "after ANALYZE" : "never analysed";
    print("vestige.history, " + state, histories, "ms");
    print("vestige.changes of the same ids, " + state, views, "ms");
  }
}

void erasures(const std::string& install, int rounds) {
  fmt::print(
      "Erasing sealed changes in one call, nothing analysed; CPU of the server for a change\n");
  for (const int changes : {4'000, 20'000, 100'000}) {
    std::vector<double> values, all;
    for (int i = 0; i < rounds; ++i) {
      Trail trail(install);
      for (const std::string table : {"p", "q"})
        trail.db().run(
            fmt::format("create table {0} (id int primary key, a int, b text); select"
                        " vestige.track('{0}'); insert into {0} select i, 1, 'x' from"
                        " generate_series(1, {1}) i",
                        table, changes));
      trail.seal();
      const auto erase = [&](const std::string& table, const std::string& more) {
        return trail.cpu(fmt::format(
                   "begin; select vestige.set_context('{{\"reason\": \"asked\"}}'); select"
                   " vestige.erase_changes(array(select c.id from vestige.change c join"
                   " vestige.tracked t on t.id = c.tracked where t.table_name = '{}'){}); commit",
                   table, more)) *
               1e3 / changes;
      };
      values.push_back(erase("p", ""));
      all.push_back(erase("q", ", keys => true, contexts => true"));
    }
    print(fmt::format("{} changes, their values", changes), values, "us");
    print(fmt::format("{} changes, with keys and contexts", changes), all, "us");
  }
}

void truncations(const std::string& install, int partitions, int rounds) {
  Trail trail(install);
  for (const std::string table : {"plain", "kept"})
    trail.db().run(fmt::format(
        "create table {0} (id int primary key, a int) partition by range (id);"
        "do $$ begin for n in 0..{1} loop execute format('create table {0}_%s partition of {0} for"
        " values from (%s) to (%s)', n, n * 10, n * 10 + 10); end loop; end $$",
        table, partitions - 1));
  trail.db().run("select vestige.track('kept')");
  fmt::print("TRUNCATE of {} partitions, ten rows in each; CPU of the server\n", partitions);
  std::vector<double> plain, kept;
  for (int i = 0; i < rounds; ++i) {
    for (const std::string table : {"plain", "kept"})
      trail.db().run(fmt::format("insert into {} select i, 0 from generate_series(0, {}) i", table,
                                 10 * partitions - 1));
    plain.push_back(trail.cpu("truncate plain"));
    kept.push_back(trail.cpu("truncate kept"));
  }
  print("untracked", plain, "ms");
  print("tracked, with a DELETE of each row", kept, "ms");
}

void seals(const std::string& install, int changes, int rounds) {
  Trail trail(install);
  trail.db().run(
      "create table p (id int primary key, a int); select vestige.track('p'); insert into p values"
      " (0, 0)");
  trail.seal();
  Session open(trail.url());
  fmt::print("Sealing {} changes; CPU of the sealer and the server for a change\n", changes);
  for (const bool beside : {false, true}) {
    if (beside) open.run("begin; update p set a = a + 1 where id = 0");
    std::vector<double> each;
    for (int i = 0; i < rounds; ++i) {
      trail.db().run(
          fmt::format("delete from p where id > 0; insert into p select i, 0 from"
                      " generate_series(1, {}) i",
                      changes / 2));
      each.push_back(trail.seal() / changes);
    }
    print(beside ? "beside a transaction that stays open" : "nothing open", each, "us");
  }
}

}  // namespace vestige::bench
