// init: install the trail, bring it up to date, or take it away.
#include <algorithm>

#include "cli/consent.h"
#include "cli/login.h"
#include "cli/session.h"
#include "vestige/trail/hold.h"
#include "vestige/trail/install.h"
#include "vestige/trail/remains.h"

namespace vestige::cli {
namespace {

Result<int> remove(Session& session, Database& db) {
  if (!TRY(remains(db)).any) {
    session.say("there is no trail in " + db.where());
    return kDone;
  }
  if (const auto held = TRY(any_held(db)); held.has_value()) {
    Context who;
    who.set("actor", login());
    return refused(db, held_back("remove the trail", *held), *held, "init --remove", who);
  }
  const std::string changes = counted(TRY(count_changes(db)), "change");
  if (!session.arguments().has("--yes")) {
    const std::string question =
        fmt::format("This takes the trail of {} away; {} would be lost.", db.where(), changes);
    if (!agreed(question))
      return hinted(
          fail(Fault::invalid, "remove the trail of {}: {} would be lost", db.where(), changes),
          "vestige init --remove --yes does it");
  }
  TRY(remove_trail(db));
  session.say(fmt::format("removed the trail of {}; {} lost", db.where(), changes));
  return kDone;
}

Result<void> choose_engine(Session& session, Database& db, std::string_view engine) {
  const std::int64_t switched = TRY(use_engine(db, engine));
  session.say(fmt::format("the {} engine records tables from now on{}", engine,
                          switched == 0 ? "" : "; " + counted(switched, "table") + " switched"));
  return {};
}

// What was put back is empty. A trail that is only older lacks no table that every trail has.
void say_missing(Session& session, const Database& db, const Remains& left) {
  const bool older = std::none_of(left.missing.begin(), left.missing.end(), [](const auto& name) {
    return name == "vestige.meta" || name == "vestige.tracked" || name == "vestige.shape" ||
           name == "vestige.context" || name == "vestige.change" || name.starts_with("vestige_");
  });
  if (older) return;
  std::string list;
  for (const std::string& name : left.missing) list += (list.empty() ? "" : ", ") + name;
  session.say(
      fmt::format("note: of the trail in {} tables were missing: {}; they are there again, "
                  "and what was in them is lost",
                  db.where(), list));
}

Result<int> run_init(Session& session) {
  const Arguments& arguments = session.arguments();
  if (arguments.has("--yes") && !arguments.has("--remove"))
    return fail(Fault::invalid, "init: --yes goes with --remove");
  if (arguments.has("--native") + arguments.has("--portable") + arguments.has("--remove") > 1)
    return fail(Fault::invalid, "init: one of --native, --portable and --remove");
  Database& db = *TRY(session.database());
  if (arguments.has("--remove")) return remove(session, db);
  const std::string_view engine = arguments.has("--native")     ? "native"
                                  : arguments.has("--portable") ? "portable"
                                                                : "";
  if (!engine.empty()) TRY(require_engine(db, engine));
  const Remains left = TRY(remains(db));
  const std::int64_t before = TRY(installed_version(db));
  const bool installed = TRY(install(db));
  if (left.any && !left.missing.empty()) say_missing(session, db, left);
  if (!installed) TRY(maintain(db));
  if (!installed) session.say(fmt::format("the trail in {} is up to date", db.where()));
  else if (before == 0)
    session.say(fmt::format("installed a trail in {}; next: vestige track TABLE…", db.where()));
  else if (before == kSchemaVersion)
    session.say(fmt::format("made the functions of the trail in {} anew", db.where()));
  else
    session.say(fmt::format("brought the trail in {} from version {} to {}", db.where(), before,
                            kSchemaVersion));
  TRY(renew_engine(db));
  if (!engine.empty()) TRY(choose_engine(session, db, engine));
  if (const auto idle = TRY(idle_tables(db)); idle > 0)
    session.say(
        fmt::format("note: {} with capture triggers that record nothing, since they are not"
                    " tracked here: a copy of the schema alone? vestige track --all records"
                    " them, vestige doctor --fix takes the triggers away",
                    counted(idle, "table")));
  return kDone;
}

}  // namespace

Command init_command() {
  return {
      .name = "init",
      .group = "set up",
      .summary = "install the trail in a database, or bring it up to date",
      .about =
          {"Adds the tables vestige_* to the database (on PostgreSQL the schema vestige), in one "
           "transaction. Running it again "
           "changes nothing. No table is tracked until `vestige track`.",
           "With --remove it takes everything away again: the history, the triggers, the "
           "tables vestige_* (on PostgreSQL the schema vestige). It says how many changes would be "
           "lost, and does nothing without --yes (or a yes at the terminal). While a hold is in "
           "force "
           "(vestige hold) it does nothing at all.",
           "Where another tool dropped tables of the trail, the application cannot write any "
           "more; both ways lead out, and say what was lost.",
           "On a PostgreSQL server that has the module vestige (docs/native.md), --native has "
           "all tables recorded by it, those tracked later too; --portable goes back, and leaves "
           "nothing in the database that needs the module. The history stays, and reads the "
           "same."},
      .options = {{.names = "--native",
                   .value = "",
                   .summary = "PostgreSQL: record by the native engine"},
                  {.names = "--portable",
                   .value = "",
                   .summary = "PostgreSQL: record by the portable engine, as from the start"},
                  {.names = "--remove", .value = "", .summary = "take the trail away"},
                  {.names = "--yes", .value = "", .summary = "do not ask before --remove"}},
      .examples = {{"vestige --db shop.db init", "install the trail in shop.db"},
                   {"vestige --db shop.db init --remove --yes", "take it away, history and all"}},
      .run = run_init};
}

}  // namespace vestige::cli
