#include "vestige/trail/sqlite/upgrade.h"

#include <utility>
#include <vector>

#include "vestige/db/sql.h"
#include "vestige/db/sqlite.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/sqlite/fit.h"
#include "vestige/trail/sqlite/installation.h"
#include "vestige/trail/sqlite/who.h"
#include "vestige/trail/track.h"

namespace vestige::sqlite {
namespace {

struct Place {
  Tracked table;
  std::string name;  // the table that has its triggers, by whatever name
};

// The tables that are tracked, where they are now: SQLite carries triggers along when a table is renamed.
Result<std::vector<Place>> places(Database& db) {
  std::vector<Place> out;
  for (Tracked& table : TRY(tracked_tables(db))) {
    if (table.untracked_at.has_value()) continue;
    const Value host = TRY(scalar(
        db, "select tbl_name from sqlite_schema where type = 'trigger' and name glob ?1 limit 1",
        {Text{fmt::format("vestige_{}_*", table.id)}}));
    const auto* name = std::get_if<Text>(&host);
    if (name == nullptr) continue;  // its triggers are gone: doctor says so
    std::string where = name->bytes;
    out.push_back({std::move(table), std::move(where)});
  }
  return out;
}

// Every trigger and view of the trail. Views first: they take their triggers along.
Result<void> drop_all(Database& db) {
  for (const std::string type : {"view", "trigger"}) {
    std::vector<std::string> names;
    auto rows = TRY(db.query(
        "select name from sqlite_schema where type = ?1 and name like 'vestige~_%' escape '~'",
        {Text{type}}));
    while (TRY(rows->next()) == Step::row) names.push_back(rows->text(0));
    for (const std::string& name : names)
      TRY(db.script(fmt::format("drop {} main.{}", type, db.quote_name(name))));
  }
  return {};
}

// Gives a table its new definition where it stands: no column, no value and no page of it changes.
Result<void> redefine(Database& db, Database& fresh, const std::string& table) {
  const std::string columns =
      "select group_concat(name || ' ' || type || ' ' || pk, ', ') from pragma_table_info(?1)";
  const Value now = TRY(scalar(db, columns, {Text{table}}));
  if (!identical(now, TRY(scalar(fresh, columns, {Text{table}}))))
    return hinted(fail(Fault::corrupt,
                       "bring the trail up to date: its table {} is not as it was"
                       " installed",
                       table),
                  "vestige doctor");
  const Value sql = TRY(scalar(
      fresh, "select sql from sqlite_schema where type = 'table' and name = ?1", {Text{table}}));
  TRY(db.run("update sqlite_schema set sql = ?2 where type = 'table' and name = ?1",
             {Text{table}, sql}));
  return {};
}

// A table that is not there yet will be made with it.
Result<bool> lacks_subject(Database& db, const std::string& table) {
  return TRY(scalar_integer(db,
                            "select count(*) from sqlite_schema where type = 'table' and name = ?1"
                            " and not exists (select 1 from pragma_table_info(?1) where name ="
                            " 'subject')",
                            {Text{table}})) != 0;
}

}  // namespace

Result<void> share_capture(Database& db) {
  const std::vector<Place> tracked = TRY(places(db));
  const auto fresh = TRY(Sqlite::open(":memory:", Sqlite::Mode::create));
  TRY(fresh->script(install_script()));
  TRY(drop_all(db));
  TRY(db.script("drop table if exists vestige_reach; drop table if exists vestige_replaced"));

  // The first table with AUTOINCREMENT makes SQLite's table of counters.
  TRY(
      db.script("create table vestige_counted (id integer primary key autoincrement);"
                "drop table vestige_counted; pragma writable_schema = on"));
  Result<void> redefined = redefine(db, *fresh, "vestige_change");
  if (redefined.has_value()) redefined = redefine(db, *fresh, "vestige_context");
  TRY(db.script("pragma writable_schema = reset"));
  TRY(std::move(redefined));
  TRY(
      db.script("insert into sqlite_sequence (name, seq)"
                " select 'vestige_change', last"
                " from (select coalesce(max(id), 0) as last from vestige_change)"
                " where not exists (select 1 from sqlite_sequence where name = 'vestige_change')"));

  auto rows =
      TRY(fresh->query("select name, sql from sqlite_schema where sql is not null"
                       " and name not like 'sqlite~_%' escape '~' order by rowid"));
  while (TRY(rows->next()) == Step::row)
    if (TRY(scalar_integer(db, "select count(*) from sqlite_schema where name = ?1",
                           {Text{rows->text(0)}})) == 0)
      TRY(db.script(rows->text(1)));
  TRY(db.run("insert or replace into vestige_meta (name, value) values ('capture', 6)"));
  for (const Place& place : tracked) TRY(refit(db, place.table, place.name, {}, ""));
  return {};
}

Result<void> find_by_who(Database& db) {
  TRY(db.script(sql::who));
  const auto fresh = TRY(Sqlite::open(":memory:", Sqlite::Mode::create));
  TRY(fresh->script(install_script()));
  auto rows =
      TRY(fresh->query("select name, sql from sqlite_schema where type = 'trigger' and name in"
                       " ('vestige_change_run', 'vestige_late_one')"));
  while (TRY(rows->next()) == Step::row)
    TRY(db.script(fmt::format("drop trigger if exists main.{}; {}", db.quote_name(rows->text(0)),
                              rows->text(1))));
  return rebuild_who(db);
}

Result<bool> knows_subjects(Database& db) {
  if (TRY(lacks_subject(db, "vestige_encrypted_key")) ||
      TRY(lacks_subject(db, "vestige_destroyed")))
    return false;
  return TRY(scalar_integer(
             db,
             "select count(*) from sqlite_schema where name ="
             " 'vestige_encrypted_key_no_return' and sql not like '%NEW.subject%'")) == 0;
}

Result<void> know_subjects(Database& db) {
  if (TRY(lacks_subject(db, "vestige_encrypted_key")))
    TRY(db.script("alter table vestige_encrypted_key add column subject blob"));
  const auto destroyed = TRY(known_own_table(db, "destroyed"));
  if (!destroyed.has_value()) return {};
  const bool lacks = TRY(lacks_subject(db, "vestige_destroyed"));
  if (lacks) TRY(db.script("alter table vestige_destroyed add column subject text"));
  TRY(db.script("drop trigger if exists vestige_encrypted_key_no_return"));
  TRY(db.script(sql::own_destroyed));
  if (lacks) TRY(refit(db, *destroyed, destroyed->name, {}, ""));
  return {};
}

}  // namespace vestige::sqlite
