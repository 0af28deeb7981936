// The rows of one command, read from the wire one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/db/spill.h"

struct pg_conn;
struct pg_result;

namespace vestige::postgres {

class PostgresRows;

/// A connection, and the rows that are still to be read from it.
struct Session {
  pg_conn* connection = nullptr;
  PostgresRows* on_wire = nullptr;
  bool in_transaction = false;  // as it was before the command that is on the wire
  // When all that is asked has to be read; nothing: whenever.
  std::optional<std::chrono::steady_clock::time_point> end;

  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();
};

struct Clear {
  void operator()(pg_result* result) const noexcept;
};
using Answer = std::unique_ptr<pg_result, Clear>;

/// A value from its type and its text form; nothing is null.
Value decode(unsigned type, std::optional<std::string_view> text);

/// Whether decode() takes a value of the type as the text that it is: what may have characters of any kind.
bool is_text(unsigned type);

class PostgresRows final : public Rows {
 public:
  /// The command was just sent. `may_cancel`: an abandoned rest may be cancelled at the server.
  ///
  /// faults   those of next(): the server runs the command up to its first row
  static Result<std::unique_ptr<PostgresRows>> start(Session& session, bool may_cancel);
  ~PostgresRows() override;

  Result<Step> next() override;
  int columns() const override { return static_cast<int>(columns_.size()); }
  std::string name(int column) const override;
  Value value(int column) const override;
  bool is_null(int column) const override { return !field(column).has_value(); }
  std::string text(int column) const override;

  /// Reads what is left on the wire into memory or a file, so that another command can be sent.
  void park();

  /// Columns that are bytea, of the text of a value of another type: that type; of all other columns 0.
  void texts_are_bytes(std::vector<unsigned> types) { types_ = std::move(types); }

  /// What the server said at the end: "UPDATE 3".
  const std::string& tag() const { return tag_; }
  /// The rows that the command changed.
  std::int64_t changed() const override;

 private:
  struct Column {
    std::string name;
    unsigned type;
  };

  PostgresRows(Session& session, bool may_cancel);
  Result<Step> given();
  void receive();
  void take(Answer answer);
  void refuse(Error error);
  void abandon() noexcept;
  std::optional<std::string_view> field(int column) const;
  std::string record() const;
  void read_record();

  Session& session_;
  bool may_cancel_;
  bool described_ = false;
  std::vector<Column> columns_;
  std::vector<unsigned> types_;
  Answer row_;            // the row on the wire that was read last; nothing at the end
  bool waiting_ = false;  // row_ is the first one, which next() has yet to give
  bool given_ = false;    // next() gave one
  std::string tag_;
  std::optional<Error> error_;

  std::optional<Spill> parked_;
  std::string record_;  // the parked row that was read last
  std::vector<std::optional<std::string_view>> fields_;
};

}  // namespace vestige::postgres
