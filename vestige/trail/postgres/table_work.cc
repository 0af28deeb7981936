#include "vestige/trail/postgres/table_work.h"

#include <chrono>
#include <thread>
#include <utility>

namespace vestige::postgres {
namespace {

// Before each further attempt at those that others hold.
constexpr std::chrono::milliseconds kPauses[] = {
    std::chrono::milliseconds(100), std::chrono::milliseconds(200), std::chrono::milliseconds(400),
    std::chrono::milliseconds(800), std::chrono::milliseconds(1600)};

// Whose session may not be looked into is named by its process alone.
Result<std::string> lockers(Database& db, const std::string& table, std::string_view which) {
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

// Why the work on a table waited in vain: who holds it. To make a trigger waits for whoever writes, to drop one for whoever
// reads, too.
Result<Error> held_by(Database& db, const std::string& table, const Error& why) {
  std::string holders =
      TRY(lockers(db, table, "and l.mode not in ('AccessShareLock', 'RowShareLock')"));
  if (holders.empty()) holders = TRY(lockers(db, table, ""));
  if (holders.empty()) return why;
  return Error{Fault::conflict, fmt::format("lock table {}: held by {}", table, holders),
               "it goes on when that transaction has ended"};
}

Result<void> one_table(Database& db, const TableWork& work, std::size_t place,
                       std::string_view lock_timeout) {
  auto transaction = TRY(Transaction::begin(db));
  TRY(db.run("select pg_catalog.set_config('lock_timeout', ?1, true)",
             {Text{std::string(lock_timeout)}}));
  TRY(work.table(place));
  return transaction.commit();
}

}  // namespace

Result<std::string> holders_of(Database& db, const std::string& table) {
  return lockers(db, table, "");
}

Result<std::vector<Undone>> table_by_table(Database& db, const TableWork& work,
                                           std::string_view lock_timeout) {
  auto first = TRY(Transaction::begin(db));
  const std::vector<std::string> tables = TRY(work.begin());
  TRY(first.commit());
  std::vector<Undone> undone;
  std::vector<std::size_t> left(tables.size());
  for (std::size_t place = 0; place < left.size(); ++place) left[place] = place;
  std::size_t done = 0;
  for (std::size_t round = 0; !left.empty(); ++round) {
    const bool last = round == std::size(kPauses);
    std::vector<std::size_t> held;
    for (const std::size_t place : left) {
      const Result<void> worked = one_table(db, work, place, lock_timeout);
      if (worked.has_value()) {
        if (work.tell) work.tell(++done, tables.size());
        continue;
      }
      Error error = worked.error();
      if (error.fault == Fault::offline) return tl::unexpected<Error>(error);
      if (error.fault == Fault::conflict && last) error = TRY(held_by(db, tables[place], error));
      if (error.fault == Fault::conflict && !last) held.push_back(place);
      else undone.push_back({place, std::move(error)});
    }
    left = std::move(held);
    if (!left.empty()) std::this_thread::sleep_for(kPauses[round]);
  }
  return undone;
}

}  // namespace vestige::postgres
