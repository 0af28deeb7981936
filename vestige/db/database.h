// The seam between the library and a database: Database and Rows. Everything above this floor speaks
// SQL from sql/ and these two. Conformance: test/database_conformance_test.cc runs against every back end.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vestige/base/result.h"
#include "vestige/record/value.h"

namespace vestige {

/// What Rows::next found. An enum, not a bool, so that an unread error cannot pass for a row.
enum class Step { row, end };

/// The rows of one query, pulled one at a time. Closes with its destruction, and must not outlive
/// its Database. A value is valid until the next call of next().
class Rows {
 public:
  Rows() = default;
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  virtual ~Rows() = default;

  /// faults   conflict (locked), denied (a constraint or a policy), invalid, offline, corrupt
  virtual Result<Step> next() = 0;
  virtual int columns() const = 0;
  virtual std::string name(int column) const = 0;
  virtual Value value(int column) const = 0;
  /// How many rows the statement changed; known at its end.
  virtual std::int64_t changed() const = 0;

  virtual bool is_null(int column) const = 0;
  std::int64_t integer(int column) const;  // 0 when it is not an integer
  /// The bytes of a text or blob; "" for anything else.
  virtual std::string text(int column) const;
};

/// Values for the ?1, ?2, … of a statement; no SQL is ever built from values.
using Params = std::vector<Value>;

/// Which database stands behind the seam, for what its SQL cannot say alike.
enum class Engine { sqlite, postgres };

/// What a statement writes.
struct Writes {
  std::set<std::string> tables;
  std::set<std::string> unregistered;  // collations and functions without which it cannot run here
};

class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  virtual ~Database() = default;

  /// Starts one statement. It has run when its rows are read to the end.
  ///
  /// faults   invalid (the SQL is wrong), and where it runs at once, those of Rows::next
  virtual Result<std::unique_ptr<Rows>> query(std::string_view sql, const Params& params = {}) = 0;

  /// Runs every statement of a script, in order, without parameters; stops at the first that fails.
  virtual Result<void> script(std::string_view sql) = 0;

  /// An identifier quoted by the database's own rules.
  virtual std::string quote_name(std::string_view name) const = 0;
  /// A value as an SQL literal that reads back identical (for patches that people read and run).
  virtual std::string literal(const Value& value) const = 0;

  /// A transaction that may write from its first statement on.
  virtual Result<void> begin() = 0;
  virtual Result<void> commit() = 0;
  virtual void rollback() noexcept = 0;
  virtual bool in_transaction() const = 0;

  /// Where this is, without secrets: "sqlite:shop.db", "postgresql://ann@db:5432/shop".
  virtual std::string where() const = 0;
  virtual Engine engine() const = 0;

  /// Splits a script: the first statement of `sql`, and in `rest` what follows it. Empty when only
  /// space and comments are left.
  ///
  /// faults   invalid
  virtual Result<std::string_view> first_statement(std::string_view sql,
                                                   std::string_view& rest) = 0;

  /// While on, BEGIN, COMMIT, ROLLBACK, SAVEPOINT, ATTACH, PREPARE TRANSACTION and COPY FROM STDIN
  /// are refused (see Fence).
  virtual void fence(bool on) = 0;

  /// The application's own triggers on or off for this connection; capture goes on. SQLite only.
  ///
  /// faults   invalid: the database has no such switch
  virtual Result<void> application_triggers(bool on) = 0;

  /// What one statement may write, through foreign keys and triggers too. It is compiled as the application would, which may
  /// have collations and functions that nobody else has. SQLite only.
  ///
  /// faults   invalid: the statement does not compile, or the database does not tell
  virtual Result<Writes> writes(const std::string& sql) = 0;

  /// Runs one statement to its end; returns the number of rows it changed.
  virtual Result<std::int64_t> run(std::string_view sql, const Params& params = {}) = 0;
};

/// The first row's first column, or Null when there is no row.
Result<Value> scalar(Database& db, std::string_view sql, const Params& params = {});
/// The same as an integer; 0 when there is none.
Result<std::int64_t> scalar_integer(Database& db, std::string_view sql, const Params& params = {});

/// A transaction that rolls back unless commit() was reached.
class Transaction {
 public:
  static Result<Transaction> begin(Database& db);
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction() {
    if (db_ != nullptr) db_->rollback();
  }
  Result<void> commit();

 private:
  explicit Transaction(Database& db) : db_(&db) {}
  Database* db_;
};

/// While this lives, a script stays inside the transaction that it was given.
class [[nodiscard]] Fence {
 public:
  explicit Fence(Database& db) : db_(db) { db_.fence(true); }
  Fence(const Fence&) = delete;
  Fence& operator=(const Fence&) = delete;
  ~Fence() { db_.fence(false); }

 private:
  Database& db_;
};

/// Opens what --db names: "postgresql://…", "sqlite:shop.db", or a path.
///
/// faults   invalid, missing, denied, offline
Result<std::unique_ptr<Database>> open_database(const std::string& url);

}  // namespace vestige
