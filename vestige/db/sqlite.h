// SQLite behind the seam. This header's files are the only place that includes sqlite3.h.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "vestige/db/database.h"

struct sqlite3;

namespace vestige {

/// An SQLite database file (or ":memory:").
class Sqlite final : public Database {
 public:
  enum class Mode { existing, create, reading };

  /// Opens a file.
  ///
  /// path     a file name; existing: the file must be there; reading: and nothing is written to it
  /// faults   missing (no such file), invalid (not an SQLite database, or SQLite older than 3.38), denied
  static Result<std::unique_ptr<Sqlite>> open(const std::string& path, Mode mode = Mode::existing);
  /// A connection that somebody else opened, will close, and may have a transaction on: what is begun here is a part of that.
  /// It must not outlive the statement that it works for.
  static std::unique_ptr<Sqlite> borrow(sqlite3* handle);
  ~Sqlite() override;

  Result<std::unique_ptr<Rows>> query(std::string_view sql, const Params& params = {}) override;
  Result<std::int64_t> run(std::string_view sql, const Params& params = {}) override;
  Result<void> script(std::string_view sql) override;
  std::string quote_name(std::string_view name) const override;
  std::string literal(const Value& value) const override;
  Result<void> begin() override;
  Result<void> commit() override;
  void rollback() noexcept override;
  bool in_transaction() const override;
  std::string where() const override;
  Engine engine() const override { return Engine::sqlite; }

  Result<std::string_view> first_statement(std::string_view sql, std::string_view& rest) override;
  void fence(bool on) override;
  /// Main-schema triggers on or off; TEMP triggers, which capture uses meanwhile, go on firing.
  Result<void> application_triggers(bool on) override;
  Result<Writes> writes(const std::string& sql) override;
  /// From here on nothing that is asked may take longer; what does is broken off, a conflict.
  Result<void> at_most(std::chrono::milliseconds time);

 private:
  struct Kept;

  Sqlite(sqlite3* handle, std::string path, bool owns);
  Result<void> run_kept(std::string_view sql, const Params& params);
  Result<void> compiles(const std::string& sql);

  sqlite3* handle_;
  std::string path_;
  bool owns_;
  std::unique_ptr<Kept> kept_;
  bool fenced_ = false;
  std::chrono::steady_clock::time_point end_;
  bool within_ = false;              // the transaction is a savepoint in another's
  std::optional<int> had_triggers_;  // before they were switched off
};

/// The version of the SQLite library in use: "3.40.1".
std::string sqlite_version();

}  // namespace vestige
