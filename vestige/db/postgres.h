// PostgreSQL behind the seam, 13 and newer. Only the postgres files here include libpq-fe.h.
//
// What differs from SQLite: query() runs the statement, so its errors come from query() as well as
// from next(). A failed statement spoils the transaction it stands in: what follows is refused until
// rollback(), and commit() then is an error. A text cannot hold NUL, or bytes that are not UTF-8.
// Names and operators are looked up in pg_catalog alone, so that nothing that others planted runs in what this program
// asks; what the caller writes, and the application's triggers at COMMIT, find names as the caller's session would.
// Results are text but for integers, bool (0 and 1), reals, bytea, and json, jsonb and numeric
// (tokens, no digit lost).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  Result<Writes> writes(const std::string& sql) override;
  /// From here on nothing that is asked may take longer, neither a statement nor the reading of all rows; what does is broken off, a
  /// conflict.
  Result<void> at_most(std::chrono::milliseconds time);

  /// Has the rights of a role from here on; and, if asked, every transaction only reads.
  ///
  /// role     "": those of the login
  /// faults   denied, invalid (no such role)
  Result<void> act_for(const std::string& role, bool reads_only);

  /// The server's version: 150018 is 15.18.
  int version() const;

  /// Whether a text of this database may be none in UTF-8: then a SELECT that meets one ends there.
  bool may_end_at_a_text() const;
  /// Functions by which every text can be read and said.
  struct Texts {
    std::string read;  // any text as a bytea in UTF-8
    std::string say;   // and back
    std::string mark;  // what stands in it where UTF-8 has no equivalent
  };
  /// From here on texts that a SELECT gives come by them, and values that have the mark go by them; none: as they are.
  void read_texts_by(std::optional<Texts> texts) { texts_ = std::move(texts); }

  /// While on, and behind a fence, statements find their names by the search path that the session would have had.
  void names_of_caller(bool on) { names_of_caller_ = on; }

 private:
  enum class Names { unknown, pinned, callers };

  Postgres(std::unique_ptr<postgres::Session> session, std::string where);
  Result<std::unique_ptr<postgres::PostgresRows>> send(std::string_view sql, const Params& params);
  Result<std::unique_ptr<postgres::PostgresRows>> sent(bool accepted, std::string_view sql);
  Result<void> ready(std::string_view sql);
  Result<void> only_ascii(std::string_view text) const;
  Result<std::vector<unsigned>> texts_as_bytes(std::string& text,
                                               const std::vector<unsigned>& types);
  Result<void> pin();
  Result<void> look_up(Names names);

  std::unique_ptr<postgres::Session> session_;
  std::string where_;
  bool fenced_ = false;
  bool ascii_ =
      false;  // nothing else can be said: the server has no way from UTF-8 to the database's encoding
  std::optional<Texts> texts_;
  std::optional<std::string> callers_path_;  // nothing: not asked for yet
  bool names_of_caller_ = false;
  Names names_ = Names::unknown;
  bool names_within_ = false;  // set within a transaction: a rollback takes it back
};

}  // namespace vestige
