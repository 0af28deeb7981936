// What both benchmarks stand on: a table of ten columns, SQLite without the seam (a writer that keeps its
// statements prepared, as applications do), CPU time, and medians.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/base/result.h"

namespace vestige::bench {

/// Ends the program: a benchmark that fails has nothing to print. Throws, so that what is temporary goes.
[[noreturn]] void give_up(std::string_view message);
/// Runs a program's work, or a part of it; prints what it gave up for.
///
/// returns  the exit code
int guarded(const std::function<void()>& work);

/// The value, or give_up().
template <class T>
T need(Result<T> result) {
  if (!result.has_value()) give_up(result.error().message);
  return std::move(result).take();
}

/// User and system time of this process so far, in microseconds.
double cpu_now();

struct Spread {
  double median = 0;
  double least = 0;
  double most = 0;
};
Spread spread(std::vector<double> values);
double percentile(std::vector<double> values, double share);

/// The same sequence in every run.
class Dice {
 public:
  std::uint64_t next();
  std::int64_t below(std::int64_t limit) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(limit));
  }

 private:
  std::uint64_t state_ = 20260101;
};

/// A connection in WAL mode with synchronous = normal.
class Connection {
 public:
  explicit Connection(const std::string& path);
  void run(const std::string& sql);
  std::int64_t number(const std::string& sql);
  sqlite3* handle() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept { sqlite3_close(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

/// A prepared statement. Text that is bound must outlive run().
class Statement {
 public:
  Statement(const Connection& db, const std::string& sql);
  Statement& bind(int place, std::int64_t value);
  Statement& bind(int place, double value);
  Statement& bind(int place, std::string_view text);
  void run();

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// create table orders (…): ten columns, INTEGER PRIMARY KEY.
void create_orders(Connection& db);
/// Inserts orders one at a time through one prepared statement, in one transaction.
void insert_orders(Connection& db, std::int64_t count);
/// Updates a random order of the first `rows`, each in a transaction of its own.
void update_orders(Connection& db, std::int64_t count, std::int64_t rows);

}  // namespace vestige::bench
