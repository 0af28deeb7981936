#include "vestige/trail/tracking.h"

#include "vestige/trail/postgres/catalog.h"
#include "vestige/trail/postgres/denied.h"
#include "vestige/trail/postgres/names.h"
#include "vestige/trail/postgres/table_work.h"
#include "vestige/trail/postgres/trail.h"

namespace vestige::postgres {
namespace {

Result<std::vector<std::string>> read_trackable(Database& db) {
  std::vector<std::string> names;
  auto rows = TRY(db.query(
      "select vestige.shown_name(n.nspname, c.relname) as shown"
      " from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
      " where c.relkind in ('r', 'p') and c.relpersistence <> 't' and not c.relispartition"
      " and n.nspname not in ('vestige', 'pg_catalog', 'information_schema')"
      " and pg_catalog.pg_has_role(c.relowner, 'usage')"
      " and not exists (select from pg_catalog.pg_depend d where d.classid ="
      " 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')"
      " order by vestige.shown_name(n.nspname, c.relname) collate \"C\""));
  while (TRY(rows->next()) == Step::row) names.push_back(rows->text(0));
  return names;
}

// The table that the trail shows under a name: its oid, since regclass asks of names for the right to use their schemas.
Result<std::optional<std::string>> standing(Database& db, const std::string& name) {
  const Reading read = shown(name);
  const Value known =
      TRY(scalar(db,
                 "select c.oid::text from pg_catalog.pg_class c"
                 " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
                 " where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname = ?1::text"
                 " and c.relname = ?2::text",
                 {Text{read.schema}, Text{read.table}}));
  if (!std::holds_alternative<Text>(known)) return std::optional<std::string>();
  return std::optional<std::string>(std::get<Text>(known).bytes);
}

// The same of a name as people write it, too.
Result<std::string> spelled(Database& db, const std::string& name) {
  if (auto known = TRY(standing(db, name)); known.has_value()) return *std::move(known);
  if (const auto meant = TRY(postgres::meant_table(db, name)); meant.has_value())
    if (auto known = TRY(standing(db, *meant)); known.has_value()) return *std::move(known);
  const std::string near = nearest(name, TRY(read_trackable(db)));
  auto missing = fail(Fault::missing, "find table {}: there is none", name);
  return near.empty() ? Result<std::string>(missing)
                      : hinted(std::move(missing), "did you mean " + near + "?");
}

// Functions of the trail say themselves what was attempted.
template <class T>
Result<T> attempted(Result<T> result) {
  constexpr std::string_view kAttempt = "run sql: ";
  if (result.has_value()) return result;
  Error error = std::move(result).error();
  for (const std::string_view verb : {"track ", "untrack ", "baseline of "})
    if (error.message.starts_with(std::string(kAttempt) + std::string(verb)))
      error.message.erase(0, kAttempt.size());
  return tl::unexpected<Error>(std::move(error));
}

class PostgresTracking final : public Tracking {
 public:
  explicit PostgresTracking(Database& db) : db_(db) {}

  Result<std::vector<std::string>> trackable() override { return read_trackable(db_); }

  Result<LiveTable> live(const std::string& name) override {
    LiveTable table{name, {}};
    auto rows = TRY(db_.query("select l.name from vestige.live_columns(?1::regclass) l",
                              {Text{TRY(spelled(db_, name))}}));
    while (TRY(rows->next()) == Step::row) table.columns.push_back(rows->text(0));
    return table;
  }

  Result<Tracked> track(const std::string& table, const Policy& policy) override {
    const std::string name = TRY(spelled(db_, table));
    const std::int64_t id =
        TRY(attempted(scalar_integer(db_, "select vestige.set_policy(?1::regclass, ?2::jsonb)",
                                     {Text{name}, Text{to_json(policy)}})));
    return TRY(read_tables(db_, id)).at(0);
  }

  Result<Tracked> own(std::string_view name) override {
    const std::int64_t id =
        TRY(scalar_integer(db_, "select vestige.own_table(?1::text)", {Text{std::string(name)}}));
    return TRY(read_tables(db_, id)).at(0);
  }

  Result<bool> record_access(bool on) override {
    return TRY(scalar_integer(db_, "select vestige.record_access(?1::boolean)::int",
                              {Text{on ? "true" : "false"}})) != 0;
  }

  Result<void> untrack(const std::string& table) override {
    const Tracked known = TRY(tracked_table(db_, table));
    if (known.untracked_at.has_value())
      return fail(Fault::missing, "untrack {}: it is not tracked any more", table);
    TRY(attempted(db_.run("select vestige.untrack_id(?1::int)", {known.id})));
    return {};
  }

  Result<std::int64_t> baseline(const Tracked& table) override {
    return attempted(scalar_integer(db_, "select vestige.baseline(?1::int)", {table.id}));
  }

  Result<std::unique_ptr<Migration>> migration(std::string_view) override {
    return postgres::migration(db_);
  }

  Result<std::vector<Undone>> table_by_table(const TableWork& work,
                                             std::string_view lock_timeout) override {
    return postgres::table_by_table(db_, work, lock_timeout);
  }

  Error explained(const Error& error, const Attempted& attempted) override {
    return postgres::explained(db_, error, attempted);
  }

 private:
  Database& db_;
};

}  // namespace

std::unique_ptr<Tracking> tracking(Database& db) { return std::make_unique<PostgresTracking>(db); }

}  // namespace vestige::postgres
