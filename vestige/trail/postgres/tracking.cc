#include "vestige/trail/tracking.h"
#include "vestige/base/nearest.h"

#include <algorithm>

#include "vestige/base/bytes.h"
#include "vestige/trail/postgres/catalog.h"
#include "vestige/trail/postgres/denied.h"
#include "vestige/trail/postgres/names.h"
#include "vestige/trail/postgres/table_work.h"
#include "vestige/trail/postgres/trail.h"
#include "vestige/trail/recipient.h"

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

// Of a trail that an earlier vestige installed.
template <class... Args>
tl::unexpected<Error> older(fmt::format_string<Args...> lacks, Args&&... args) {
  return hinted(fail(Fault::missing, "this trail is older and {}",
                     fmt::format(lacks, std::forward<Args>(args)...)),
                "vestige init brings it up to date");
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
    TRY(require_recipients(db_, policy, table));
    const std::int64_t id =
        TRY(attempted(scalar_integer(db_, "select vestige.set_policy(?1::regclass, ?2::jsonb)",
                                     {Text{name}, Text{to_json(policy)}})));
    return TRY(read_tables(db_, id)).at(0);
  }

  Result<Tracked> own(std::string_view name) override {
    const auto id =
        scalar_integer(db_, "select vestige.own_table(?1::text)", {Text{std::string(name)}});
    if (!id.has_value() && id.error().message.find("the trail has no table ") != std::string::npos)
      return older("has no table {} of its own", name);
    if (!id.has_value()) return tl::unexpected<Error>(id.error());
    return TRY(read_tables(db_, *id)).at(0);
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

  Result<std::vector<Recipient>> recipients(std::string_view of) override {
    std::vector<Recipient> out;
    auto rows = TRY(db_.query(
        "select id, class, public, case when isfinite(since) then (extract(epoch from since)"
        " * 1000000)::int8 else 0 end, until is null, case when isfinite(until) then"
        " (extract(epoch from until) * 1000000)::int8 else 0 end from vestige.recipient"
        " where ?1 in ('', class) order by id",
        {Text{std::string(of)}}));
    while (TRY(rows->next()) == Step::row) {
      Recipient one{rows->integer(0), rows->text(1), rows->text(2), rows->integer(3)};
      if (rows->integer(4) == 0) one.until = rows->integer(5);
      out.push_back(std::move(one));
    }
    return out;
  }
  Result<void> add_recipient(const std::string& of, const std::string& public_key,
                             std::optional<std::int64_t> from) override {
    if (!TRY(has_function(db_, "add_recipient(text,text,timestamptz)")))
      return older("knows no key that begins at a time");
    const Value when = from.has_value() ? Value(*from) : Value(Null{});
    TRY(attempted(scalar_integer(db_,
                                 "select vestige.add_recipient(?1, ?2, timestamptz 'epoch' +"
                                 " ?3::int8 * interval '1 microsecond')",
                                 {Text{of}, Text{public_key}, when})));
    return {};
  }
  Result<void> end_recipient(std::int64_t id) override {
    TRY(attempted(db_.run("select vestige.end_recipient(?1)", {id})));
    return {};
  }
  // Capture, which wraps keys of its own alone, waits for nobody.
  Result<void> lock_wraps() override {
    TRY(scalar(db_, "select 1 from vestige.meta where name = 'schema_version' for update"));
    return {};
  }
  Result<void> destroy_keys(const EndOfKeys& end) override {
    TRY(own("destroyed"));
    const Value subject = end.subject.empty() ? Value(Null{}) : Value(Text{to_hex(end.subject)});
    TRY(
        db_.run("insert into vestige.destroyed (class, upto_change, data_keys, subject) values (?1,"
                " ?2::int8, ?3::int8, ?4::text)",
                {Text{end.of}, end.upto, end.data_keys, subject}));
    TRY(
        db_.run("delete from vestige.encrypted_key where class = ?1 and first_change <= ?2::int8"
                " and (?3::text is null or subject = pg_catalog.decode(?3::text, 'hex'))",
                {Text{end.of}, end.upto, subject}));
    upto_ = std::max(upto_, end.upto);
    ended_by_ = to_display(
        TRY(scalar(db_, "select pg_catalog.pg_current_xact_id()::pg_catalog.xid::text")));
    return {};
  }
  // A transaction that wrote wraps has its lock on their table until it ends. One that made a key which is in use from such a change on
  // has had its number for longer than this one has; one that is known to have begun when a later change was there is none of these.
  // When one that is prepared began nobody says.
  Result<std::vector<std::string>> left_of_wraps() override {
    if (ended_by_.empty()) return std::vector<std::string>();
    auto rows = TRY(db_.query(
        "select coalesce('process ' || w.pid, 'a prepared transaction') from pg_catalog.pg_locks w"
        " where w.relation = 'vestige.encrypted_key'::pg_catalog.regclass and w.granted"
        " and w.database = (select oid from pg_catalog.pg_database where datname ="
        " pg_catalog.current_database()) and w.mode = 'RowExclusiveLock'"
        " and exists (select from pg_catalog.pg_locks x where x.locktype = 'transactionid' and"
        " x.granted and x.virtualtransaction = w.virtualtransaction and"
        " pg_catalog.age(x.transactionid) > pg_catalog.age(?1::text::pg_catalog.xid))"
        " and not exists (select from pg_catalog.pg_stat_get_activity(w.pid) a where w.pid is not "
        "null"
        " and a.xact_start >"
        " (select c.at from vestige.change c where c.id > ?2::int8 order by c.id limit 1))"
        " order by w.pid",
        {Text{ended_by_}, upto_}));
    std::string open;
    while (TRY(rows->next()) == Step::row) open += (open.empty() ? "" : ", ") + rows->text(0);
    if (open.empty()) return std::vector<std::string>();
    return std::vector<std::string>{
        "transactions are open that may write under a data key of before then: " + open +
        "; run this again when they have ended"};
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

  Result<bool> log_has_more() override { return false; }

 private:
  Database& db_;
  std::string ended_by_;   // the transaction that destroyed keys
  std::int64_t upto_ = 0;  // those in use from that change on
};

}  // namespace

std::unique_ptr<Tracking> tracking(Database& db) { return std::make_unique<PostgresTracking>(db); }

}  // namespace vestige::postgres
