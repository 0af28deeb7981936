#include "vestige/trail/sqlite/row_index.h"

namespace vestige {
namespace {

// A run: changes 16384 * (run - 1) + 1 … 16384 * run; the last one may lack some of its batches of 512.
constexpr std::string_view kWritten = "(select coalesce(max(id), 0) >> 9 << 9 from vestige_change)";
constexpr std::string_view kComplete = "(select coalesce(max(id), 0) >> 14 from vestige_change)";
constexpr std::string_view kMerged = "(select value from vestige_meta where name = 'merged_runs')";

}  // namespace

std::string row_changes(const std::string& table, const std::string& key) {
  return fmt::format(
      "select id from ("
      "select k.id from (with recursive n (run) as (select {3} + 1 where {3} < ({2} + 16383) >> 14"
      " union all select run + 1 from n where run < ({2} + 16383) >> 14)"
      " select run from n union all select 0) as r"
      " cross join vestige_key as k where k.run = r.run and k.tbl = {0} and k.key is {1}"
      " union all"
      " select id from vestige_change where id > {2} and tbl = {0} and (key is {1} or new_key is "
      "{1})"
      ") where true",
      table, key, kWritten, kMerged);
}

Result<std::int64_t> loose_runs(Database& db) {
  return scalar_integer(db, fmt::format("select {} - {}", kComplete, kMerged));
}

Result<void> merge_runs(Database& db) {
  const std::int64_t last = TRY(scalar_integer(db, fmt::format("select {}", kComplete)));
  TRY(
      db.run("insert into vestige_key (run, tbl, key, id) select 0, tbl, key, id from vestige_key"
             " where run between 1 and ?1 order by tbl, key, id",
             {last}));
  TRY(db.run("delete from vestige_key where run between 1 and ?1", {last}));
  TRY(db.run("update vestige_meta set value = ?1 where name = 'merged_runs'", {last}));
  return {};
}

Result<void> rebuild_runs(Database& db) {
  const std::int64_t complete = TRY(scalar_integer(db, fmt::format("select {}", kComplete)));
  TRY(db.run("delete from vestige_key"));
  TRY(db.run(fmt::format("insert or ignore into vestige_key (run, tbl, key, id)"
                         " select run, tbl, key, id from ("
                         "select iif((id + 16383) >> 14 > ?1, ?1 + 1, 0) as run, tbl, key, id"
                         " from vestige_change where id <= {0} and key is not null"
                         " union all "
                         "select iif((id + 16383) >> 14 > ?1, ?1 + 1, 0), tbl, new_key, id"
                         " from vestige_change where id <= {0} and new_key is not null)"
                         " order by run, tbl, key, id",
                         kWritten),
             {complete}));
  TRY(db.run("update vestige_meta set value = ?1 where name = 'merged_runs'", {complete}));
  return {};
}

}  // namespace vestige
