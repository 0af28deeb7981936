// From the slots of a stored change to a Change: the only place that knows the layout of
// vestige_change and vestige_more (sql/sqlite/install.sql).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/change.h"
#include "vestige/trail/catalog.h"

namespace vestige {

class Opener;

/// What stands in vestige_change.changed once values, and once values and key were erased: no bit of a column
/// is set.
inline constexpr std::int64_t kValuesErased = -65536;
inline constexpr std::int64_t kKeyErased = -196608;

/// The columns that decode() wants, of vestige_change as c.
std::string change_columns();

/// Under which names columns and tables are given: those of today, or those under which they were recorded.
enum class Names { today, recorded };

/// Decodes changes; keeps the catalog and the last context at hand.
class Decoder {
 public:
  ///
  /// every    an UPDATE in which no bit differs is given, too, with no columns
  static Result<Decoder> open(Database& db, Names names = Names::today, bool every = false);

  /// The change in the current row of a query over change_columns(), or nothing for an UPDATE in which
  /// no bit differs (see Writer::changed in capture.cc). With the names that were recorded, everything that
  /// is stored is given, also such an UPDATE, but no context.
  ///
  /// faults   corrupt
  Result<std::optional<Change>> decode(const Rows& rows);

  /// The same, but what cannot be read is given as it is stored, and says why.
  ///
  /// faults   offline
  Result<std::optional<Change>> decode_forgiving(const Rows& rows);

  /// Opens what is encrypted in a change that somebody else gave (see Source::open).
  Result<void> open(Change& change);

  /// The name under which a column of an older shape is shown: today's, as long as it has one.
  const std::string& shown(std::int64_t shape, std::size_t place) const;

 private:
  struct Known {
    Shape shape;
    std::string table;
    std::vector<std::string> shown;
    bool encrypted = false;  // one of its columns is
  };
  // The tokens of a change, by part and slot.
  using Tokens = std::map<std::size_t, std::vector<Value>>;

  Decoder(Database& db, Names names, bool every);
  Result<void> load();
  Result<std::optional<Change>> read(const Rows& rows, std::string* unreadable);
  Result<Change> as_stored(const Rows& rows);
  Result<const Known*> shape(std::int64_t id);
  Result<Context> context(std::int64_t id);
  Result<Row> key(const Known& known, const Value& stored) const;
  Result<Row> shown_key(const Known& known, const Value& stored,
                        const std::optional<Row>& values) const;
  static bool moved(const Known& known, const Row& changed);
  Result<void> erasures(const Rows& rows, Change& change);
  Result<void> values(const Rows& rows, const Known& known, Change& change);
  Result<void> take_tokens(std::int64_t change, const Known& known);
  const Value* token(std::size_t part, std::size_t slot) const;
  Value value_of(const Known& known, const Column& column, Value stored, const Value* token) const;
  Result<void> row_values(const Rows& rows, const Known& known, Row& out);
  Result<void> pair_values(const Rows& rows, const Known& known, Change& change);

  Database* db_;
  Opener* opener_;  // only what is shown is opened, under today's names: what is sealed never is
  Names names_;
  bool every_;
  std::map<std::int64_t, Known> shapes_;
  Tokens tokens_;                 // of the change that is read
  std::optional<bool> evidence_;  // there is a place for erasures
  std::int64_t context_id_ = 0;
  Context context_;
};

/// The stored form of a key, as the triggers write it (see key_expression).
Result<Value> stored_key(Database& db, const Row& key);

}  // namespace vestige
