// ddl_statement: what one statement of a migration is about to do, as far as its first words tell.
// SQLite parses; here it is only decided what must be kept before it runs. Test: ddl_statement_test.cc.
#pragma once

#include <string>
#include <string_view>

#include "vestige/base/result.h"

namespace vestige::sqlite {

struct DdlStatement {
  enum class Kind {
    other,        // SELECT, DML, CREATE, …: runs as it is
    alter_table,  // ALTER TABLE name …
    drop_table,   // DROP TABLE [IF EXISTS] name
    drop_object,  // DROP INDEX, VIEW or TRIGGER name
  };
  Kind kind = Kind::other;
  std::string schema;  // "temp" in temp.x; empty when it is not given
  std::string name;
};

/// faults   invalid: it would begin or end a transaction, or leave the database
Result<DdlStatement> ddl_statement(std::string_view sql);

/// True when a DROP TABLE stands anywhere in a script.
bool drops_tables(std::string_view script);

}  // namespace vestige::sqlite
