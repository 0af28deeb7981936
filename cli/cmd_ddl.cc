// ddl: change the schema and keep the record whole.
#include "cli/session.h"
#include "vestige/audit/ddl.h"

namespace vestige::cli {
namespace {

Result<int> run_ddl(Session& session) {
  const std::string sql = TRY(session.sql());
  const Context context = TRY(session.arguments().context());
  Database& db = *TRY(session.database());
  for (const std::string& line : TRY(ddl(db, sql, context))) session.say(line);
  return kDone;
}

}  // namespace

Command ddl_command() {
  return {
      .name = "ddl",
      .group = "change",
      .summary = "run a schema migration without breaking the record",
      .arguments = "[SQL]",
      .least = 0,
      .most = 1,
      .about =
          {"Runs a migration in one transaction: the triggers step aside for the DDL and are "
           "fitted to the tables as they stand at the end. Renamed tables and columns keep their "
           "history; a table that was rebuilt (create, copy, drop, rename) stays tracked; rows "
           "that the migration alters are recorded. When one statement fails, nothing happens "
           "(exit 3)."},
      .options =
          joined({{.names = "-f, --file", .value = "FILE", .summary = "read the SQL from a file"}},
                 context_options()),
      .examples = {{"vestige ddl 'alter table products rename column price to price_cents'",
                    "rename a column, keep its history"},
                   {"vestige ddl -f migrations/0007.sql --actor deploy", "a whole migration"}},
      .all_or_nothing = true,
      .writes = true,
      .run = run_ddl};
}

}  // namespace vestige::cli
