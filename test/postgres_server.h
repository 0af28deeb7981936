// A PostgreSQL server of the tests' own: a fresh cluster in a temporary folder, reached by a socket in
// that folder only, gone with the process that started it, however that ends.
//
// The binaries come from $PGBIN, `pg_config --bindir` or /usr/lib/postgresql/*/bin. When run by root the
// server runs as the user postgres. With VESTIGE_TEST_POSTGRES in the environment (see
// postgres_server_main.cc) that server is used, and none is started. Its folder is made in /tmp, or in
// $VESTIGE_POSTGRES_PLACE where 2 GiB are free there.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace vestige {

class PostgresServer {
 public:
  /// Starts a server; `settings` are more of "name=value". Throws std::runtime_error.
  explicit PostgresServer(const std::vector<std::string>& settings = {});
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  /// The one server of this process, started at the first call.
  static PostgresServer& shared();

  /// The folder of the socket; the port is 5432, the superuser is postgres and needs no password.
  const std::string& host() const { return host_; }
  /// Where a database is: "postgresql://postgres@%2Ftmp%2F…/shop".
  std::string url(std::string_view database = "postgres", std::string_view user = "postgres") const;
  /// The process to watch over it; 0 when the server is somebody else's.
  pid_t supervisor() const { return supervisor_; }

  /// Runs SQL in the database "postgres" as the superuser.
  void execute(const std::string& sql) const;

 private:
  explicit PostgresServer(std::string url);

  std::string host_;
  std::string own_url_;  // of a server that was there before
  pid_t supervisor_ = 0;
  int lifeline_ = -1;  // closed: the supervisor stops the server
};

/// A database of a test's own on the shared server, empty or a copy of another; dropped with this.
class ScratchDatabase {
 public:
  explicit ScratchDatabase(std::string_view copy_of = "template1");
  ScratchDatabase(const ScratchDatabase&) = delete;
  ScratchDatabase& operator=(const ScratchDatabase&) = delete;
  ~ScratchDatabase();

  const std::string& name() const { return name_; }
  std::string url(std::string_view user = "postgres") const {
    return PostgresServer::shared().url(name_, user);
  }

 private:
  std::string name_;
};

}  // namespace vestige
