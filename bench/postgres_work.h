// The work that is measured: transfers between accounts by several connections, statements over many rows,
// and the sum of what they cost.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/postgres_session.h"
#include "bench/postgres_setup.h"
#include "bench/shop.h"

namespace vestige::bench {

/// What a piece of work cost, of which all changes were recorded.
struct Cost {
  double changes = 0;
  double seconds = 0;  // by the clock
  double micros = 0;   // CPU of the server's processes
  double wal = 0;      // bytes
  Space grown;
};

/// Connections that transfer: each transaction changes three columns of two accounts and inserts a transfer.
class Tellers {
 public:
  Tellers(const Setup& setup, const std::string& url, int connections, int rows, bool synchronous);
  /// `transactions` in all, at once by all connections.
  Cost work(int transactions);

 private:
  struct Transfer {
    int first, second, amount, request;
  };
  void transfer(Session& db, const Transfer& one) const;

  Setup setup_;
  int rows_;
  Session watch_;
  std::vector<std::unique_ptr<Session>> sessions_;
  Dice dice_;
};

/// One statement, or what an application does in its place.
struct Statements {
  std::string name;
  double changes = 0;
  std::string sql;
  std::string by_hand;  // writes the floor's rows, before or after
  bool hand_first = false;
};
std::vector<Statements> bulk(int rows, int inserted, int wide_rows);
Cost run_bulk(const Setup& setup, const Statements& work, const std::string& url);

}  // namespace vestige::bench
