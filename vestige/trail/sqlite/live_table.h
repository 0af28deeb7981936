// A table as it stands in SQLite now: columns, rowid, unique constraints.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"

namespace vestige {

enum class Affinity { none, integer, real, numeric, text };

struct SqliteColumn {
  std::string name;
  std::string type;
  Affinity affinity = Affinity::none;
  bool generated = false;
  bool collated = false;  // its definition names another collation than BINARY
  bool named =
      false;  // more than once in the table's definition: a generated column may be made of it
  int primary_key = 0;  // 1, 2, …; 0: not in the primary key
  std::string
      fallback;  // SQL of the value that REPLACE puts for a NULL that may not be; empty: none
};

/// A unique constraint or index: rows conflict when every term is equal, within the condition.
struct UniqueIndex {
  struct Term {
    std::string sql;        // a quoted column name, or an expression over column names
    std::string collation;  // BINARY, NOCASE, …
    std::string column;     // empty for an expression
  };
  std::vector<Term> terms;
  std::string where;  // empty: not partial
};

struct SqliteTable {
  std::string name;
  std::vector<SqliteColumn> columns;
  bool without_row_id = false;
  std::string row_id;          // quoted name under which SQL sees the rowid; empty when it cannot
  bool row_id_is_key = false;  // it is the INTEGER PRIMARY KEY column
  std::vector<UniqueIndex> unique;
  bool collated = false;  // a column may have another collation than BINARY
  bool follows = false;   // a foreign key of its own may change its rows when others are deleted

  const SqliteColumn* find(const std::string& column) const;
  std::vector<std::string> primary_key() const;
};

namespace sqlite {

/// Reads a table's definition.
///
/// name     case-insensitive, as SQLite has it; SqliteTable::name has the spelling of the definition
/// faults   missing: no such table; invalid: a view, a virtual or an internal table
Result<SqliteTable> read_table(Database& db, const std::string& name);

/// How a table of the trail's own, which is tracked, is made (see own_table); empty: it has none of that name.
std::string_view own_definition(std::string_view name);
bool is_own(std::string_view name);

/// The tables that can be tracked, and those of the trail's own that are.
Result<std::vector<std::string>> recordable_tables(Database& db);

}  // namespace sqlite

/// SQLite's names differ in nothing but the case of ASCII letters.
bool same_name(std::string_view left, std::string_view right);

/// SQLite's rule: which affinity a declared type gives.
Affinity affinity_of(std::string_view declared_type);

}  // namespace vestige
