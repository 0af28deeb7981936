#include "bench/shop.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace vestige::bench {

void give_up(std::string_view message) { throw std::runtime_error(std::string(message)); }

int guarded(const std::function<void()>& work) {
  try {
    work();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench: {}\n", error.what());
    return 3;
  }
}

double cpu_now() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto micros = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

double percentile(std::vector<double> values, double share) {
  if (values.empty()) give_up("no measurements");
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

Spread spread(std::vector<double> values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return {percentile(values, 0.5), *least, *most};
}

std::uint64_t Dice::next() {  // xorshift64*
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return (state_ * 2685821657736338717ULL) >> 11;
}

Connection::Connection(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open(path.c_str(), &raw);
  handle_.reset(raw);
  if (code != SQLITE_OK) give_up(sqlite3_errmsg(raw));
  run("pragma journal_mode = wal; pragma synchronous = normal");
}

void Connection::run(const std::string& sql) {
  if (sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    give_up(fmt::format("{}: {}", sqlite3_errmsg(handle()), sql));
}

std::int64_t Connection::number(const std::string& sql) {
  std::int64_t out = 0;
  const auto first = [](void* to, int, char** values, char**) {
    *static_cast<std::int64_t*>(to) = std::atoll(values[0] == nullptr ? "0" : values[0]);
    return 0;
  };
  if (sqlite3_exec(handle(), sql.c_str(), first, &out, nullptr) != SQLITE_OK)
    give_up(fmt::format("{}: {}", sqlite3_errmsg(handle()), sql));
  return out;
}

Statement::Statement(const Connection& db, const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(db.handle(), sql.c_str(), -1, &raw, nullptr) != SQLITE_OK)
    give_up(fmt::format("{}: {}", sqlite3_errmsg(db.handle()), sql));
  statement_.reset(raw);
}

Statement& Statement::bind(int place, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), place, value);
  return *this;
}

Statement& Statement::bind(int place, double value) {
  sqlite3_bind_double(statement_.get(), place, value);
  return *this;
}

Statement& Statement::bind(int place, std::string_view text) {
  sqlite3_bind_text(statement_.get(), place, text.data(), static_cast<int>(text.size()),
                    SQLITE_STATIC);
  return *this;
}

void Statement::run() {
  if (sqlite3_step(statement_.get()) != SQLITE_DONE)
    give_up(sqlite3_errmsg(sqlite3_db_handle(statement_.get())));
  sqlite3_reset(statement_.get());
}

void create_orders(Connection& db) {
  db.run(
      "create table orders (id integer primary key, customer_id integer not null, name text,"
      " sku text, price real, quantity integer, status text, note text, created_at text,"
      " updated_at text)");
}

void insert_orders(Connection& db, std::int64_t count) {
  Dice dice;
  Statement insert(db,
                   "insert into orders (customer_id, name, sku, price, quantity, status, note,"
                   " created_at, updated_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)");
  db.run("begin");
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string name = fmt::format("Customer {}", dice.below(100'000));
    const std::string sku = fmt::format("SKU-{:06}", dice.below(1'000'000));
    insert.bind(1, dice.below(100'000)).bind(2, name).bind(3, sku);
    insert.bind(4, static_cast<double>(dice.below(1'000'000)) / 100).bind(5, 1 + dice.below(9));
    insert.bind(6, "open").bind(7, "leave with the neighbours").bind(8, "2026-01-01 12:00:00");
    insert.run();
  }
  db.run("commit");
}

void update_orders(Connection& db, std::int64_t count, std::int64_t rows) {
  Dice dice;
  Statement update(db, "update orders set price = ?1, status = ?2, updated_at = ?3 where id = ?4");
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string status = fmt::format("step {}", i % 7);
    const std::string updated = fmt::format("2026-01-02 12:{:02}:{:02}", i / 60 % 60, i % 60);
    update.bind(1, static_cast<double>(dice.below(1'000'000)) / 100).bind(2, status);
    update.bind(3, updated).bind(4, 1 + dice.below(rows)).run();
  }
}

}  // namespace vestige::bench
