// Who is in the way of work on a table.
#include "vestige/trail/postgres/trail.h"

namespace vestige::postgres {

namespace {

// Whose session may not be looked into is named by its process alone.
Result<std::string> holders_of(Database& db, const std::string& table, std::string_view which) {
  auto rows = TRY(db.query(
      fmt::format(
          "select distinct on (a.xact_start, l.pid, l.virtualtransaction) case when l.pid is null"
          " then 'a prepared transaction' else pg_catalog.format('process %s%s', l.pid,"
          " ' of ' || a.usename || coalesce(' (' || nullif(a.application_name, '') || ')', '')"
          " || coalesce(', in a transaction since ' || pg_catalog.to_char(a.xact_start at time zone"
          " 'UTC', 'YYYY-MM-DD HH24:MI:SS'), '')) end"
          " from pg_catalog.pg_locks l left join pg_catalog.pg_stat_activity a on a.pid = l.pid"
          " where l.locktype = 'relation' and l.granted and l.pid is distinct from"
          " pg_catalog.pg_backend_pid() and l.database = (select d.oid from"
          " pg_catalog.pg_database d where d.datname = pg_catalog.current_database())"
          " {} and l.relation in"
          " (select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n"
          " on n.oid = c.relnamespace where vestige.shown_name(n.nspname, c.relname) = ?1"
          " union all select p.relid from pg_catalog.pg_class c join pg_catalog.pg_namespace n"
          " on n.oid = c.relnamespace, pg_catalog.pg_partition_tree(c.oid) p"
          " where c.relkind = 'p' and vestige.shown_name(n.nspname, c.relname) = ?1)"
          " order by a.xact_start, l.pid, l.virtualtransaction limit 3",
          which),
      {Text{table}}));
  std::string holders;
  while (TRY(rows->next()) == Step::row) holders += (holders.empty() ? "" : "; ") + rows->text(0);
  return holders;
}

}  // namespace

// To make a trigger waits for whoever writes, to drop one for whoever reads, too.
Result<Error> held(Database& db, const std::string& table, const Error& why) {
  std::string holders =
      TRY(holders_of(db, table, "and l.mode not in ('AccessShareLock', 'RowShareLock')"));
  if (holders.empty()) holders = TRY(holders_of(db, table, ""));
  if (holders.empty()) return why;
  return Error{Fault::conflict, fmt::format("lock table {}: held by {}", table, holders),
               "it goes on when that transaction has ended"};
}

}  // namespace vestige::postgres
