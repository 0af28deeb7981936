// kept_rows: the rows of a tracked table that a migration drops, kept until it is known what became of
// them. What a rebuild altered is played on the copy under capture triggers, so that the trail is written
// by the same code as ever, whatever constraints the new table has. Test: audit/ddl_test.cc, ddl_random_test.cc.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/trail/sqlite/fit.h"
#include "vestige/trail/sqlite/live_table.h"

namespace vestige::sqlite {

/// What became of the rows of a table that was rebuilt.
struct Rebuilt {
  Tracked table;  // as it is tracked now
  std::vector<Renamed> renamed;
  std::int64_t updated = 0;
  std::int64_t deleted = 0;
  std::int64_t inserted = 0;
};

class KeptRows {
 public:
  /// Copies every row of a table, before it is dropped. The copy goes with the transaction, or with
  /// one of the three below.
  static Result<KeptRows> keep(Database& db, const Tracked& table);

  /// The table goes on as `name`: records what the copy altered, and fits shape and triggers. Rows are
  /// the same by their key, or, where there is none in common, when every common column is equal.
  Result<Rebuilt> rebuilt(const std::string& name);

  /// The table is gone for good: records every row as deleted.
  ///
  /// returns  how many rows
  Result<std::int64_t> deleted();

  /// Nothing became of them: the table was not dropped after all.
  Result<void> discard();

 private:
  // A column that both tables have: its names in the one that was and in the one that is.
  struct Pair {
    std::string was;
    std::string is;
  };

  KeptRows(Database& db, Tracked table, SqliteTable live)
      : db_(&db), table_(std::move(table)), was_(std::move(live)) {}

  std::string quote(std::string_view name) const { return db_->quote_name(name); }
  Result<SqliteTable> make_copy(const SqliteTable& of, const std::string& name);
  Result<void> capture(const SqliteTable& copy, const Tracked& table, std::string_view event);
  Result<std::int64_t> recorded_by(const std::string& sql);
  Result<void> drop(const SqliteTable& copy);

  Result<std::vector<Renamed>> renames(const SqliteTable& now);
  std::vector<Pair> common(const SqliteTable& now, const std::vector<Renamed>& renamed) const;
  std::vector<Pair> common_key(const SqliteTable& now, const std::vector<Pair>& pairs) const;
  std::string row_of(const SqliteTable& table) const;
  std::string same(const std::vector<Pair>& key) const;
  std::string differs(const Pair& pair) const;

  Result<void> match_by_key(const SqliteTable& now, const std::vector<Pair>& key,
                            const std::vector<Pair>& pairs, Rebuilt& rebuilt);
  Result<void> match_whole_rows(const SqliteTable& now, const std::vector<Pair>& pairs,
                                Rebuilt& rebuilt);
  Result<void> insert_new(const SqliteTable& now, const std::string& condition, Rebuilt& rebuilt);

  Database* db_;
  Tracked table_;
  SqliteTable was_;   // the table as it was
  SqliteTable copy_;  // its rows
};

}  // namespace vestige::sqlite
