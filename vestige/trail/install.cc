#include "vestige/trail/install.h"

#include "vestige/db/sql.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/postgres/trail.h"
#include "vestige/trail/remains.h"
#include "vestige/trail/sqlite/upgrade.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

// SQLite: the guard of the checkpoints lets cosignatures through. PostgreSQL compares every function.
Result<bool> lets_cosign(Database& db) {
  return TRY(scalar_integer(db,
                            "select count(*) from sqlite_schema where name ="
                            " 'vestige_checkpoint_no_update' and sql like '%NEW.note%'")) != 0;
}

// SQLite: the sealer counts what it could not read.
Result<bool> counts_unreadable(Database& db) {
  return TRY(scalar_integer(db,
                            "select count(*) from pragma_table_info('vestige_sealer') where name"
                            " = 'unreadable'")) != 0;
}

tl::unexpected<Error> incomplete(const Database& db, const std::vector<std::string>& missing) {
  std::string list;
  for (const std::string& name : missing) list += (list.empty() ? "" : ", ") + name;
  return hinted(fail(Fault::corrupt, "read the trail: of its tables {} {} missing from {}", list,
                     missing.size() == 1 ? "is" : "are", db.where()),
                "restore the database from a backup; or vestige init --remove takes away what is "
                "left, and the application can write again");
}

}  // namespace

Result<std::int64_t> installed_version(Database& db) {
  if (db.engine() == Engine::postgres) return postgres::installed_version(db);
  const auto stands = [&](const char* name) {
    return scalar_integer(db, "select count(*) from sqlite_schema where name = ?1", {Text{name}});
  };
  if (TRY(stands("vestige_meta")) == 0) {
    if (!TRY(remains(db)).tables) return 0;
    return incomplete(db, {"vestige_meta"});
  }
  return scalar_integer(db, "select value from vestige_meta where name = 'schema_version'");
}

// A trail that is older than the evidence has no place for it.
Result<bool> has_evidence(Database& db) {
  if (db.engine() == Engine::postgres)
    return TRY(scalar_integer(db,
                              "select count(*) from pg_catalog.pg_attribute where attrelid ="
                              " pg_catalog.to_regclass('vestige.sealer') and attname ="
                              " 'unreadable'")) != 0;
  return TRY(scalar_integer(
             db, "select count(*) from sqlite_schema where name = 'vestige_erased'")) != 0;
}

Result<void> require_evidence(Database& db) {
  if (TRY(has_evidence(db))) return {};
  return hinted(
      fail(Fault::missing, "find the evidence: this trail is older and has no place for it"),
      "vestige init gives it one");
}

Result<void> require_sealing(Database& db) {
  TRY(require_evidence(db));
  if (db.engine() == Engine::postgres || TRY(counts_unreadable(db))) return {};
  return hinted(fail(Fault::missing, "seal: this trail is older, and its sealer counts less"),
                "vestige init brings it up to date");
}

std::string install_script() {
  return std::string(sql::install) + std::string(sql::capture) + std::string(sql::order) +
         std::string(sql::evidence) + std::string(sql::guards);
}

Result<bool> lets_erase(Database& db) {
  if (!TRY(has_evidence(db))) return false;
  if (db.engine() == Engine::postgres)
    return TRY(scalar_integer(
               db,
               "select count(*) from pg_catalog.pg_proc where proname = 'erase_changes' and"
               " pronamespace = pg_catalog.to_regnamespace('vestige')")) != 0;
  return TRY(scalar_integer(db,
                            "select count(*) from sqlite_schema where name ="
                            " 'vestige_change_no_rewrite'")) != 0;
}

Result<void> require_erasing(Database& db) {
  if (TRY(lets_erase(db))) return {};
  return hinted(fail(Fault::missing, "erase: this trail is older and lets nothing be erased"),
                "vestige init brings it up to date");
}

Result<bool> captures_shared(Database& db) {
  if (db.engine() == Engine::postgres) return true;
  return TRY(scalar_integer(
             db, "select count(*) from vestige_meta where name = 'capture' and value = 4")) != 0;
}

Result<void> require_capture(Database& db) {
  TRY(require_trail(db));
  if (TRY(captures_shared(db))) return {};
  return hinted(
      fail(Fault::missing, "record changes: this trail is older and records them otherwise"),
      "vestige init brings it up to date");
}

Result<bool> install(Database& db) {
  auto transaction = TRY(Transaction::begin(db));
  const std::int64_t version = TRY(installed_version(db));
  const Remains left = TRY(remains(db));
  const bool sqlite = db.engine() == Engine::sqlite;
  const bool shared = version == kSchemaVersion && TRY(captures_shared(db));
  if (version == 0 && left.ours && !left.tables) TRY(remove_remains(db));
  else if (!left.missing.empty() && left.ours &&
           (sqlite ? version == kSchemaVersion && shared : version == 0))
    return incomplete(db, left.missing);
  if (version == kSchemaVersion && (sqlite || left.missing.empty())) {
    const bool whole = TRY(lets_erase(db));
    if (whole && shared &&
        TRY(db.engine() == Engine::sqlite ? lets_cosign(db) : postgres::as_installed(db)) &&
        (db.engine() == Engine::postgres || TRY(counts_unreadable(db)))) {
      const bool mended = db.engine() == Engine::postgres && TRY(postgres::mend_rights(db));
      TRY(transaction.commit());
      return mended;
    }
    if (db.engine() == Engine::sqlite) {
      if (!shared) TRY(share_capture(db));
      TRY(db.script(sql::evidence));
      if (!TRY(counts_unreadable(db)))
        TRY(db.script(
            "alter table vestige_sealer add column unreadable integer not null default 0"));
      TRY(db.script(sql::guards));
      TRY(transaction.commit());
      return true;
    }
  }
  if (version > kSchemaVersion)
    return hinted(
        fail(Fault::invalid, "install the trail: version {} is newer than this vestige knows ({})",
             version, kSchemaVersion),
        "use the vestige that installed it, or a newer one");
  if (db.engine() == Engine::postgres) TRY(postgres::install(db));
  else TRY(db.script(install_script()));
  TRY(transaction.commit());
  return true;
}

Result<void> require_trail(Database& db) {
  const std::int64_t version = TRY(installed_version(db));
  if (version == 0 && db.engine() == Engine::postgres && TRY(postgres::emptied(db)))
    return hinted(fail(Fault::missing,
                       "read the trail: {} has its tables and triggers, and nothing in them: a copy"
                       " of the schema alone",
                       db.where()),
                  "vestige init makes an empty trail of it; until then nothing is recorded");
  const Remains left = version == 0 ? TRY(remains(db)) : Remains();
  if (version == 0 && !left.any)
    return hinted(fail(Fault::missing, "read the trail: there is none in {}", db.where()),
                  "vestige init makes one");
  if (version == 0 && left.tables) return incomplete(db, left.missing);
  if (version == 0)
    return hinted(fail(Fault::corrupt, "read the trail: its tables are gone from {}", db.where()),
                  "vestige init makes a new one, vestige init --remove takes away what is left; "
                  "the application can write again then");
  if (version != kSchemaVersion)
    return hinted(fail(Fault::invalid, "read the trail: it has version {}, this vestige knows {}",
                       version, kSchemaVersion),
                  "vestige init brings an older trail up to date");
  return {};
}

Result<std::int64_t> idle_tables(Database& db) {
  return db.engine() == Engine::postgres ? postgres::idle_tables(db) : 0;
}

Result<std::int64_t> count_changes(Database& db) {
  for (const std::string& name : TRY(remains(db)).missing)
    if (name == "vestige.change" || name == "vestige_change") return 0;
  if (db.engine() == Engine::postgres)
    return scalar_integer(db, "select count(*) from vestige.change");
  return scalar_integer(db, "select count(*) from vestige_change");
}

Result<void> maintain(Database& db) {
  if (db.engine() != Engine::postgres) return {};
  const auto done = db.run("select vestige.maintain()");
  if (done.has_value() || done.error().fault == Fault::conflict) return {};
  return tl::unexpected<Error>(done.error());
}

Result<void> remove_trail(Database& db) {
  auto transaction = TRY(Transaction::begin(db));
  TRY(remove_remains(db));
  return transaction.commit();
}

}  // namespace vestige
