// PostgreSQL behind the seam, 13 and newer. Only the postgres files here include libpq-fe.h.
//
// What differs from SQLite: query() runs the statement, so its errors come from query() as well as
// from next(). A failed statement spoils the transaction it stands in: what follows is refused until
// rollback(), and commit() then is an error. A text cannot hold NUL, or bytes that are not UTF-8.
// Results are text but for integers, bool (0 and 1), reals, bytea, and json, jsonb and numeric
// (tokens, no digit lost).
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "vestige/db/database.h"

namespace vestige {

namespace postgres {
class PostgresRows;
struct Session;
}  // namespace postgres

class Postgres final : public Database {
 public:
  /// Connects as libpq does: what the URL leaves out comes from PGHOST, PGUSER, ~/.pgpass and so on.
  ///
  /// url      "postgresql://user@host:port/dbname?options"
  /// faults   invalid (the URL, or a server older than 13), denied, missing (no such database), offline
  static Result<std::unique_ptr<Postgres>> open(const std::string& url);
  ~Postgres() override;

  Result<std::unique_ptr<Rows>> query(std::string_view sql, const Params& params = {}) override;
  Result<std::int64_t> run(std::string_view sql, const Params& params = {}) override;
  /// Each statement by itself: outside a transaction, those before the one that fails stay done.
  Result<void> script(std::string_view sql) override;
  std::string quote_name(std::string_view name) const override;
  std::string literal(const Value& value) const override;
  Result<void> begin() override;
  Result<void> commit() override;
  void rollback() noexcept override;
  bool in_transaction() const override;
  std::string where() const override;
  Engine engine() const override { return Engine::postgres; }

  Result<std::string_view> first_statement(std::string_view sql, std::string_view& rest) override;
  void fence(bool on) override { fenced_ = on; }
  Result<void> application_triggers(bool on) override;
  Result<std::set<std::string>> writes(const std::string& sql) override;

  /// The server's version: 150018 is 15.18.
  int version() const;

 private:
  Postgres(std::unique_ptr<postgres::Session> session, std::string where);
  Result<std::unique_ptr<postgres::PostgresRows>> send(std::string_view sql, const Params& params);
  Result<std::unique_ptr<postgres::PostgresRows>> sent(bool accepted, std::string_view sql);
  Result<void> ready(std::string_view sql);

  std::unique_ptr<postgres::Session> session_;
  std::string where_;
  bool fenced_ = false;
};

}  // namespace vestige
