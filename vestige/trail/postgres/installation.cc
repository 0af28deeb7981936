#include "vestige/trail/installation.h"

#include <algorithm>

#include "vestige/base/bytes.h"
#include "vestige/base/crypto.h"
#include "vestige/db/postgres.h"
#include "vestige/db/postgres_sql.h"
#include "vestige/trail/postgres/catalog.h"
#include "vestige/trail/postgres/engine.h"
#include "vestige/trail/postgres/trail.h"

namespace vestige::postgres {
namespace {

// Which install script this is: a trail that another one installed is brought up to date.
const std::string& fingerprint() {
  static const std::string hex = [] {
    const Hash hash = sha256(sql::postgres::install);
    return to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
  }();
  return hex;
}

// From here on a character without an equivalent in UTF-8 ends no listing. A trail of a version before, and a reader who was
// given other functions by their names, do without.
Result<void> read_any_text(Database& db) {
  auto* server = dynamic_cast<Postgres*>(&db);
  if (server == nullptr || !server->may_end_at_a_text()) return {};
  server->read_texts_by({});
  if (TRY(scalar_integer(
          db,
          "select (pg_catalog.has_function_privilege(pg_catalog.to_regprocedure("
          "'vestige.utf8(text)'), 'execute') and pg_catalog.has_function_privilege("
          "pg_catalog.to_regprocedure('vestige.from_utf8(bytea)'), 'execute'))::int")) != 0)
    server->read_texts_by(Postgres::Texts{"vestige.utf8", "vestige.from_utf8", "\uFFFD<"});
  return {};
}

// Whether the trail is what this vestige installs, and its functions and views are as they were then.
Result<bool> as_installed(Database& db) {
  if (!TRY(has_function(db, "trail_findings()"))) return false;
  if (TRY(scalar_integer(db,
                         "select count(*) from vestige.meta where name = 'script' and value = ?1",
                         {Text{fingerprint()}})) == 0)
    return false;
  return TRY(scalar_integer(db,
                            "select count(*) from vestige.trail_findings() where code ="
                            " 'trail-altered' and remedy = 'vestige init makes it anew'")) == 0;
}

class PostgresInstallation final : public Installation {
 public:
  explicit PostgresInstallation(Database& db) : db_(db) {}

  Result<std::int64_t> version() override {
    auto rows = TRY(db_.query(
        "select pg_catalog.has_schema_privilege(n.oid, 'usage') and"
        " pg_catalog.has_table_privilege(c.oid, 'select'), pg_catalog.quote_ident(current_user)"
        " from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'vestige' and c.relname = 'meta'"));
    if (TRY(rows->next()) == Step::end) return 0;
    if (rows->integer(0) == 0) {
      const std::string who = rows->text(1);
      return hinted(fail(Fault::denied, "read the trail: {} may not", who),
                    "grant vestige_reader to " + who);
    }
    TRY(read_any_text(db_));
    return scalar_integer(db_,
                          "select value::int8 from vestige.meta where name = 'schema_version'");
  }

  Result<Remains> remains() override {
    Remains out;
    std::vector<std::string> tables;
    auto rows =
        TRY(db_.query("select c.relname, c.relkind in ('r', 'p') from pg_catalog.pg_class c"
                      " where c.relnamespace = pg_catalog.to_regnamespace('vestige')"
                      " union all select p.proname, false from pg_catalog.pg_proc p"
                      " where p.pronamespace = pg_catalog.to_regnamespace('vestige')"));
    while (TRY(rows->next()) == Step::row) {
      out.any = true;
      out.ours = out.ours || rows->text(0) == "shown_name";
      if (rows->integer(1) != 0) tables.push_back(rows->text(0));
    }
    out.tables = !tables.empty();
    out.says_version = std::find(tables.begin(), tables.end(), "meta") != tables.end();
    static const auto ours =
        tables_made_by(sql::postgres::install, "^create table if not exists vestige\\.(\\w+)");
    for (const std::string& name : missing_of(ours, tables))
      out.missing.push_back("vestige." + name);
    return out;
  }

  Result<void> make() override {
    TRY(db_.script(sql::postgres::install));
    TRY(
        db_.run("insert into vestige.meta values ('script', ?1) on conflict (name) do update set"
                " value = excluded.value",
                {Text{fingerprint()}}));
    return {};
  }

  // It is the trail that reads the catalog.
  Result<void> make_to_look() override { return make(); }

  Result<bool> renew() override {
    if (TRY(remains()).missing.empty() && TRY(lets_erase()) && TRY(as_installed(db_)))
      return TRY(scalar_integer(db_, "select vestige.set_rights(false)")) != 0;
    TRY(make());
    return true;
  }

  Result<void> remove() override {
    if (auto* server = dynamic_cast<Postgres*>(&db_); server != nullptr) server->read_texts_by({});
    return db_.script(sql::postgres::remove);
  }

  // With the column comes what else the sealer needs.
  Result<bool> has_evidence() override {
    return TRY(scalar_integer(db_,
                              "select count(*) from pg_catalog.pg_attribute where attrelid ="
                              " pg_catalog.to_regclass('vestige.sealer') and attname ="
                              " 'unreadable'")) != 0;
  }
  Result<bool> lets_seal() override { return true; }

  Result<bool> lets_erase() override {
    return TRY(has_evidence()) && TRY(has_function(db_, "erase_changes"));
  }

  Result<bool> has_cursors() override {
    return TRY(scalar_integer(db_,
                              "select count(*) from pg_catalog.pg_class where oid ="
                              " pg_catalog.to_regclass('vestige.cursor')")) != 0;
  }

  Result<void> keep_table(std::string_view name) override {
    if (TRY(has_table(name))) return {};  // who may not make it may use it
    TRY(scalar(db_, "select vestige.keep_table(?1)", {Text{std::string(name)}}));
    return {};
  }
  Result<bool> has_table(std::string_view name) override {
    return TRY(scalar_integer(db_,
                              "select count(*) from pg_catalog.pg_class where oid ="
                              " pg_catalog.to_regclass('vestige.' || pg_catalog.quote_ident(?1))",
                              {Text{std::string(name)}})) != 0;
  }

  Result<void> require_engine(std::string_view engine) override {
    return postgres::require_engine(db_, engine);
  }
  Result<void> renew_engine() override { return postgres::renew_engine(db_); }
  Result<std::int64_t> use_engine(std::string_view engine) override {
    return postgres::use_engine(db_, engine);
  }

  Result<std::int64_t> idle_tables() override {
    return scalar_integer(db_, "select count(distinct relation) from vestige.idle_triggers()");
  }

 private:
  Database& db_;
};

}  // namespace

std::unique_ptr<Installation> installation(Database& db) {
  return std::make_unique<PostgresInstallation>(db);
}

}  // namespace vestige::postgres
