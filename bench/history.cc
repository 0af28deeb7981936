// What the trail's answers cost when it is long: time in the database of `log` and `at` for a row and for
// a table, and the peak memory of every reading verb of the program. What the figures mean:
// docs/performance.md.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <functional>

#include "bench/shop.h"
#include "test/temporary_directory.h"
#include "vestige/audit/at.h"
#include "vestige/audit/log.h"
#include "vestige/db/database.h"
#include "vestige/trail/install.h"
#include "vestige/trail/sqlite/row_index.h"
#include "vestige/trail/track.h"

namespace vestige::bench {
namespace {

struct Options {
  std::int64_t changes = 5'000'000;
  std::int64_t rows = 1'000'000;  // of the table
  std::int64_t after = 100'000;   // changes after the moment that `at` goes back to
  std::int64_t few = 100'000;     // changes of the short trail, for the memory
  std::int64_t asked = 200;       // rows asked for
  std::string program = "build/bin/vestige";
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A trail through real triggers: the table is filled, tracked, and its rows are updated in an order that
// scatters the changes of each.
void build(const std::string& path, std::int64_t rows, std::int64_t changes) {
  Connection db(path);
  create_orders(db);
  insert_orders(db, rows);
  {
    auto seam = need(open_database("sqlite:" + path));
    need(install(*seam));
    auto transaction = need(Transaction::begin(*seam));
    need(track(*seam, "orders", Policy{}));
    need(transaction.commit());
  }
  db.run("pragma cache_size = -400000; begin");  // 400 MB: this much is preparation
  update_orders(db, changes, rows);
  db.run("commit");
  db.run("pragma wal_checkpoint(truncate)");
}

// Every measurement in milliseconds, on a connection that is new to it.
std::vector<double> asked(const std::string& path, std::int64_t rows, std::int64_t times,
                          const std::function<void(Database&, const std::string& key)>& question) {
  Dice dice;
  std::vector<double> out;
  for (std::int64_t i = 0; i < times; ++i) {
    auto db = need(open_database("sqlite:" + path));
    const std::string key = fmt::format("{}", 1 + dice.below(rows));
    const double start = cpu_now();
    question(*db, key);
    out.push_back((cpu_now() - start) / 1000);
  }
  return out;
}

void ask_log(Database& db, const std::string& key) {
  LogRequest request;
  request.table = "orders";
  request.key = {key};
  auto changes = need(log(db, request));
  while (need(changes->next()).has_value()) {
  }
}

void print_row(std::string_view what, const std::vector<double>& times) {
  fmt::print("  {:44}{:9.2f}{:9.2f}{:9.2f}\n", what, percentile(times, 0.5),
             percentile(times, 0.99), percentile(times, 1));
  std::fflush(stdout);
}

void measure_rows(const std::string& path, const Options& options, std::string_view state) {
  const std::int64_t middle = options.changes / 2;
  const auto ask_at = [&](Database& db, const std::string& key) {
    need(at(db, "orders", {key}, Moment{Moment::Kind::change, middle}));
  };
  print_row(fmt::format("log orders KEY, {}", state),
            asked(path, options.rows, options.asked, ask_log));
  print_row(fmt::format("at orders KEY --change {}, {}", middle, state),
            asked(path, options.rows, options.asked, ask_at));
}

// The whole table at a moment against the whole table now, through the same seam.
void measure_table(const std::string& path, const Options& options) {
  std::vector<double> now;
  std::vector<double> then;
  for (int round = 0; round < 3; ++round) {
    auto db = need(open_database("sqlite:" + path));
    double start = cpu_now();
    auto rows = need(db->query("select * from orders"));
    std::int64_t values = 0;
    while (need(rows->next()) == Step::row)
      for (int column = 0; column < rows->columns(); ++column)
        values += std::holds_alternative<Null>(rows->value(column)) ? 0 : 1;
    if (values == 0) give_up("the table is empty");
    rows.reset();
    now.push_back((cpu_now() - start) / 1000);
    start = cpu_now();
    auto states =
        need(at(*db, "orders", Moment{Moment::Kind::change, options.changes - options.after}));
    while (need(states->next()).has_value()) {
    }
    then.push_back((cpu_now() - start) / 1000);
  }
  fmt::print("\n{} rows, {} changes after the moment; milliseconds, median of 3\n", options.rows,
             options.after);
  fmt::print("  {:44}{:9.0f}\n  {:44}{:9.0f}   x {:.2f}\n", "select * from orders",
             spread(now).median,
             fmt::format("at orders --change {}", options.changes - options.after),
             spread(then).median, spread(then).median / spread(now).median);
}

// Runs a part in a process of its own. What a process has used counts as the peak of every program that it
// starts, so the process that starts them does nothing else.
void apart(const std::function<void()>& part) {
  std::fflush(stdout);  // or the child prints it again
  const pid_t child = fork();
  if (child == 0) {
    const int code = guarded(part);
    std::fflush(stdout);
    _exit(code);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) give_up("a part failed");
}

// Runs the program with its output thrown away; its peak resident memory in MB.
double peak(const Options& options, const std::string& path,
            const std::vector<std::string>& words) {
  std::vector<std::string> text = {options.program, "--db", path};
  text.insert(text.end(), words.begin(), words.end());
  std::vector<char*> argv;
  for (std::string& word : text) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stdout) == nullptr) _exit(127);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(127);
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  rusage usage = {};
  if (child < 0 || wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) ||
      WEXITSTATUS(status) > 1)
    give_up(fmt::format("{} failed", fmt::join(text, " ")));
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void measure_memory(const std::string& few, const std::string& many, const Options& options) {
  fmt::print("\nPeak memory of the program, MB{:16}{:>9}{:>9}\n", "", options.few, options.changes);
  const std::string middle = fmt::format("{}", options.few / 2);
  const std::string row = "1";
  const std::vector<std::vector<std::string>> verbs = {
      {"log"},
      {"log", "orders", row},
      {"show", middle},
      {"diff", "orders", row, "--from", middle, "--to", "now"},
      {"blame", "orders", row},
      {"at", "orders", row, "--change", middle},
      {"at", "orders", "--change", middle},
      {"status"},
      {"doctor"}};
  for (const auto& words : verbs) {
    fmt::print("  {:44}{:9.1f}{:9.1f}\n", fmt::format("{}", fmt::join(words, " ")),
               peak(options, few, words), peak(options, many, words));
    std::fflush(stdout);
  }
}

void measure_time(const std::string& many, const Options& options) {
  auto db = need(open_database("sqlite:" + many));
  measure_rows(many, options, fmt::format("{} loose runs", need(loose_runs(*db))));
  const double begun = cpu_now();
  auto transaction = need(Transaction::begin(*db));
  need(merge_runs(*db));
  need(transaction.commit());
  fmt::print("  merging the runs: {:.1f} s\n", (cpu_now() - begun) / 1e6);
  measure_rows(many, options, "merged");
  measure_table(many, options);
}

void run(const Options& options) {
  const TemporaryDirectory directory;
  const std::string many = directory.file("many.db");
  const std::string few = directory.file("few.db");
  const double start = seconds_now();
  apart([&] { build(many, options.rows, options.changes); });
  apart([&] { build(few, options.rows / 10, options.few); });
  fmt::print(
      "History: a trail of {} changes of {} rows, made by UPDATEs through the triggers in {:.0f} "
      "s.\n"
      "A row's answers: CPU time in milliseconds, {} rows, each on a new connection.\n\n"
      "  {:44}{:>9}{:>9}{:>9}\n",
      options.changes, options.rows, seconds_now() - start, options.asked, "", "p50", "p99",
      "most");
  apart([&] { measure_time(many, options); });
  measure_memory(few, many, options);
}

}  // namespace
}  // namespace vestige::bench

int main(int argc, char** argv) {
  vestige::bench::Options options;
  CLI::App app("What the trail's answers cost: time of log and at, memory of the reading verbs.");
  app.add_option("--changes", options.changes, "changes in the trail")->check(CLI::PositiveNumber);
  app.add_option("--rows", options.rows, "rows of the table")->check(CLI::PositiveNumber);
  app.add_option("--after", options.after, "changes after the moment of `at` for the table");
  app.add_option("--few", options.few, "changes of the short trail that memory is compared with");
  app.add_option("--asked", options.asked, "rows asked for")->check(CLI::PositiveNumber);
  app.add_option("--program", options.program, "the vestige to run")->check(CLI::ExistingFile);
  CLI11_PARSE(app, argc, argv);
  return vestige::bench::guarded([&] { vestige::bench::run(options); });
}
