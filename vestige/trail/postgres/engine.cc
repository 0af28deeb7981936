#include "vestige/trail/postgres/engine.h"

#include "vestige/db/postgres_sql.h"
#include "vestige/trail/install.h"
#include "vestige/trail/postgres/catalog.h"

namespace vestige::postgres {
namespace {

Result<bool> has_native_engine(Database& db) { return has_function(db, "capture_native()"); }

// Whether anything in the database needs the module.
Result<bool> has_module(Database& db) {
  return TRY(scalar_integer(
             db,
             "select (select count(*) from pg_catalog.pg_am where amname in ('vestige_runs',"
             " 'vestige_order')) + (select count(*) from pg_catalog.pg_extension where extname ="
             " 'vestige') + (select count(*) from pg_catalog.pg_proc where oid ="
             " pg_catalog.to_regprocedure('vestige.capture_native()'))")) != 0;
}

Result<bool> is_superuser(Database& db) {
  return TRY(scalar_integer(db,
                            "select rolsuper::int from pg_catalog.pg_roles"
                            " where rolname = current_user")) != 0;
}

// Indexes first: the procedure commits.
Result<void> remove_module(Database& db) {
  TRY(db.script("call vestige.set_indexes('btree')"));
  auto transaction = TRY(Transaction::begin(db));
  TRY(db.script(sql::postgres::portable));
  TRY(transaction.commit());
  return maintain(db);
}

}  // namespace

Result<void> require_engine(Database& db, std::string_view engine) {
  if (engine == "portable") {
    if (!TRY(has_module(db)) || TRY(is_superuser(db))) return {};
    return hinted(fail(Fault::denied,
                       "use the portable engine: only a superuser may take the module out of a "
                       "database"),
                  "run vestige init --portable once as a superuser; for one table, select "
                  "vestige.set_engine('t', 'portable') will do");
  }
  if (TRY(has_native_engine(db))) return {};
  if (TRY(scalar_integer(db,
                         "select count(*) from pg_catalog.pg_available_extensions"
                         " where name = 'vestige'")) == 0)
    return hinted(fail(Fault::missing,
                       "use the native engine: the server of {} has no module vestige", db.where()),
                  "install the package postgresql-15-vestige there, or see docs/native.md");
  if (!TRY(is_superuser(db)))
    return hinted(fail(Fault::denied,
                       "use the native engine: only a superuser may load a module of the server"),
                  "run vestige init --native once as a superuser; tables stay whose they are");
  return {};
}

Result<void> renew_engine(Database& db) {
  if (!TRY(has_native_engine(db)) || !TRY(is_superuser(db))) return {};
  auto transaction = TRY(Transaction::begin(db));
  TRY(db.script(sql::postgres::native));
  return transaction.commit();
}

Result<std::int64_t> use_engine(Database& db, std::string_view engine) {
  auto transaction = TRY(Transaction::begin(db));
  TRY(postgres::require_engine(db, engine));
  if (engine == "native" && !TRY(has_native_engine(db))) TRY(db.script(sql::postgres::native));
  TRY(db.script(engine == "native"
                    ? "alter table vestige.tracked alter column engine set default 'native'"
                    : "alter table vestige.tracked alter column engine set default 'portable'"));
  const std::int64_t switched = TRY(scalar_integer(
      db,
      "select count(*) from (select vestige.set_engine(t.relation, ?1) from vestige.tracked t"
      " where t.untracked_at is null and t.engine <> ?1 and exists (select from "
      "pg_catalog.pg_class c"
      " where c.oid = t.relation) order by t.id offset 0) s",
      {Text{std::string(engine)}}));
  // Those that are gone, or restored as others, have no trigger to make.
  TRY(db.run("update vestige.tracked set engine = ?1 where untracked_at is null and engine <> ?1",
             {Text{std::string(engine)}}));
  TRY(transaction.commit());
  if (engine == "portable" && TRY(has_module(db))) TRY(remove_module(db));
  return switched;
}

}  // namespace vestige::postgres
