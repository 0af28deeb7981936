// From the text of a change's rows to a Change. vestige.decode (sql/postgres/install/read.sql) says the same in SQL,
// for those who read the trail by SQL; test/postgres_decode_test.cc holds one against the other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/change.h"
#include "vestige/trail/opener.h"

namespace vestige::postgres {

/// The columns that decode() wants, of vestige.change as c and vestige.context as x.
std::string_view change_columns();

/// Decodes changes; keeps the columns of every shape and the last context at hand.
class Decoder {
 public:
  /// table   whose changes will be read; nothing: any
  static Result<Decoder> open(Database& db, std::optional<std::int64_t> table);

  /// The change in the current row of a query over change_columns().
  ///
  /// faults   corrupt
  Result<Change> decode(const Rows& rows);

  /// The same, but what cannot be read is given as it is stored, and says why.
  ///
  /// faults   offline
  Result<Change> decode_forgiving(const Rows& rows);

  /// Opens what is encrypted in a change that somebody else gave (see Source::open).
  Result<void> open(Change& change);

 private:
  struct Column {
    std::string name;  // of today; of a column that is gone, the last one it had in this shape
    std::string kind;  // vestige.live_columns
    bool key = false;
    bool old_left_out = false;  // too large to be recorded
    bool new_left_out = false;
    bool redacted = false;
    std::string encrypted;  // the class of keys that opens its tokens; empty: it has none
    std::int64_t id = 0;
    std::int64_t table = 0;  // the number of the tracked table
  };
  struct Shape {
    std::string table;
    bool whole = false;
    bool full = false;  // policy capture = "full"
    std::vector<Column> columns;
    std::size_t keys = 0;
    bool unreadable = false;
  };
  using Fields = std::vector<std::optional<std::string>>;

  Decoder(Database& db, std::optional<std::int64_t> table)
      : db_(&db), opener_(opener_of(db)), table_(table) {}
  Result<void> load();
  Result<Change> read(const Rows& rows);
  Result<Change> as_stored(const Rows& rows);
  Result<const Shape*> shape(std::int64_t id);
  Result<Context> context(const Rows& rows);
  Result<Value> shown(const Column& column, Value token);
  Result<void> open_served(const Shape& shape, std::optional<Row>& row);
  Result<void> add(Row& row, const Column& column, const std::optional<std::string>& field,
                   bool left_out);
  Result<Row> key(const Shape& shape, const Rows& rows, int place);
  Result<void> values(const Rows& rows, const Shape& shape, Change& change);
  bool fields(const Rows& rows, int place, std::size_t count, Fields& out);

  Database* db_;
  Opener* opener_;
  std::optional<std::int64_t> table_;
  std::map<std::int64_t, Shape> shapes_;
  Fields old_fields_;
  Fields new_fields_;
  Fields key_fields_;
  std::int64_t context_id_ = -1;
  Context context_;
};

/// What stands in a field of an encrypted column: a token, or that the value could not be encrypted and is not there.
Value token_value(const std::string& text, const std::string& of);

/// A value's text as JSON readers give it: vestige.value_json, read back. Arrays are the server's to read.
///
/// faults   corrupt: a json value that is none
Result<Value> value_of(std::string_view kind, const std::optional<std::string>& text);

}  // namespace vestige::postgres
