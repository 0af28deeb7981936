// A connection of the benchmarks to the PostgreSQL server on this machine: libpq without the seam, as
// applications use it, and what the server's process for it has cost so far.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vestige::bench {

/// CPU time of a process of the server so far, user and system, in microseconds. It counts to the nanosecond
/// while the process waits for us (/proc/PID/schedstat).
double cpu_of(int pid);

class Session {
 public:
  explicit Session(const std::string& url);

  /// Runs statements, several in one round trip.
  void run(const std::string& sql);
  /// The first field of the answer; "" when there is none.
  std::string text(const std::string& sql);
  double number(const std::string& sql);

  void prepare(const std::string& name, const std::string& sql);
  void execute(const std::string& name, const std::vector<std::string>& values);

  /// CPU time of the server's process for this connection, as cpu_of gives it.
  double cpu() const;
  /// Bytes of WAL that the server has written so far, all sessions.
  double wal();

 private:
  struct Close {
    void operator()(PGconn* handle) const noexcept { PQfinish(handle); }
  };
  struct Clear {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
  };
  using Reply = std::unique_ptr<PGresult, Clear>;

  Reply checked(PGresult* result, const std::string& what) const;

  std::unique_ptr<PGconn, Close> handle_;
};

}  // namespace vestige::bench
