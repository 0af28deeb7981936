#include "vestige/trail/sqlite/installation.h"

#include "vestige/db/sql.h"
#include "vestige/trail/install.h"
#include "vestige/trail/sqlite/trail.h"
#include "vestige/trail/sqlite/upgrade.h"

namespace vestige::sqlite {
namespace {

constexpr std::string_view kOurs = "name like 'vestige\\_%' escape '\\'";

Result<bool> stands(Database& db, const std::string& name) {
  return TRY(scalar_integer(db, "select count(*) from sqlite_schema where name = ?1",
                            {Text{name}})) != 0;
}

// The guard of the checkpoints lets cosignatures through.
Result<bool> lets_cosign(Database& db) {
  return TRY(scalar_integer(db,
                            "select count(*) from sqlite_schema where name ="
                            " 'vestige_checkpoint_no_update' and sql like '%NEW.note%'")) != 0;
}

class SqliteInstallation final : public Installation {
 public:
  explicit SqliteInstallation(Database& db) : db_(db) {}

  Result<std::int64_t> version() override {
    if (TRY(stands(db_, "vestige_meta")))
      return scalar_integer(db_, "select value from vestige_meta where name = 'schema_version'");
    if (!TRY(remains()).tables) return 0;
    return incomplete(db_, {"vestige_meta"});
  }

  Result<Remains> remains() override {
    Remains out;
    std::vector<std::string> tables;
    auto rows = TRY(
        db_.query(fmt::format("select name, type = 'table' from sqlite_schema where {}", kOurs)));
    while (TRY(rows->next()) == Step::row) {
      out.any = true;
      if (rows->integer(1) != 0) tables.push_back(rows->text(0));
    }
    out.ours = out.any;
    out.tables = !tables.empty();
    // Those that the evidence adds are made by every init.
    static const auto ours = tables_made_by(sql::install, "^create table (vestige_\\w+)");
    out.missing = missing_of(ours, tables);
    return out;
  }

  Result<void> make() override { return db_.script(install_script()); }
  Result<void> make_to_look() override { return {}; }

  Result<bool> renew() override {
    const bool shared = TRY(captures_shared(db_));
    if (const Remains left = TRY(remains()); shared && !left.missing.empty())
      return incomplete(db_, left.missing);
    const bool by_who = TRY(finds_who(db_));
    if (shared && by_who && TRY(lets_erase()) && TRY(lets_cosign(db_)) && TRY(lets_seal()) &&
        TRY(has_cursors()) && TRY(stands(db_, "vestige_expired")) && TRY(lets_archive()) &&
        TRY(knows_subjects(db_)))
      return false;
    if (!shared) TRY(share_capture(db_));
    if (!by_who) TRY(find_by_who(db_));
    if (!TRY(knows_subjects(db_))) TRY(know_subjects(db_));
    TRY(db_.script(sql::evidence));
    if (!TRY(lets_seal()))
      TRY(db_.script(
          "alter table vestige_sealer add column unreadable integer not null default 0"));
    if (!TRY(lets_archive()))
      TRY(
          db_.script("alter table vestige_retention add column hot text; alter table"
                     " vestige_retention add column archive integer not null default 0"));
    TRY(db_.script(sql::guards));
    return true;
  }

  Result<void> remove() override {
    std::vector<std::pair<std::string, std::string>> objects;
    auto rows = TRY(
        db_.query(fmt::format("select type, name from sqlite_schema where {} and type <> 'index'"
                              " order by type = 'table', type = 'view', rowid desc",
                              kOurs)));
    while (TRY(rows->next()) == Step::row) objects.emplace_back(rows->text(0), rows->text(1));
    for (const auto& [type, name] : objects)
      TRY(db_.script(fmt::format("drop {} main.{}", type, db_.quote_name(name))));
    return {};
  }

  Result<bool> has_evidence() override { return stands(db_, "vestige_erased"); }

  // The sealer counts what it could not read.
  Result<bool> lets_seal() override {
    return TRY(scalar_integer(
               db_,
               "select count(*) from pragma_table_info('vestige_sealer') where name ="
               " 'unreadable'")) != 0;
  }

  Result<bool> lets_erase() override {
    return TRY(has_evidence()) && TRY(stands(db_, "vestige_change_no_rewrite"));
  }

  Result<bool> has_cursors() override { return stands(db_, "vestige_cursor"); }

  Result<void> keep_table(std::string_view name) override {
    if (name == "delivery") return db_.script(sql::kept_delivery);
    if (name == "encrypted_key") {
      TRY(db_.script(sql::kept_encrypted_key));
      return db_.script(sql::guards);  // those of an older trail let no token in
    }
    if (name != "rule_state")
      return fail(Fault::internal, "there is no table {} to keep anything in", name);
    return db_.script(sql::kept_rule_state);
  }
  Result<bool> has_table(std::string_view name) override {
    return stands(db_, "vestige_" + std::string(name));
  }

  Result<void> require_engine(std::string_view engine) override {
    return hinted(fail(Fault::invalid, "use the {} engine: {} is no PostgreSQL database", engine,
                       db_.where()),
                  "SQLite has one engine");
  }
  Result<void> renew_engine() override { return {}; }
  Result<std::int64_t> use_engine(std::string_view engine) override {
    TRY(require_engine(engine));
    return 0;
  }

  Result<std::int64_t> idle_tables() override { return 0; }

 private:
  // Classes of retention say what is archived.
  Result<bool> lets_archive() {
    return TRY(scalar_integer(
               db_,
               "select count(*) from pragma_table_info('vestige_retention') where name ="
               " 'archive'")) != 0;
  }

  Database& db_;
};

}  // namespace

std::string install_script() {
  return std::string(sql::install) + std::string(sql::who) + std::string(sql::capture) +
         std::string(sql::order) + std::string(sql::evidence) + std::string(sql::guards);
}

Result<bool> captures_shared(Database& db) {
  return TRY(scalar_integer(
             db, "select count(*) from vestige_meta where name = 'capture' and value = 6")) != 0;
}

Result<bool> finds_who(Database& db) { return stands(db, "vestige_who"); }

Result<void> require_capture(Database& db) {
  TRY(require_trail(db));
  if (TRY(captures_shared(db))) return {};
  return hinted(
      fail(Fault::missing, "record changes: this trail is older and records them otherwise"),
      "vestige init brings it up to date");
}

std::unique_ptr<Installation> installation(Database& db) {
  return std::make_unique<SqliteInstallation>(db);
}

}  // namespace vestige::sqlite
