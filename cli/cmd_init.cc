// init: install the trail, bring it up to date, or take it away.
#include <unistd.h>

#include <iostream>

#include "cli/session.h"
#include "vestige/trail/install.h"

namespace vestige::cli {
namespace {

// True when the person at the terminal writes yes.
bool agreed(const std::string& question) {
  talk(question + " Write yes to go on: ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes";
}

Result<int> remove(Session& session, Database& db) {
  if (TRY(installed_version(db)) == 0) {
    session.say("there is no trail in " + db.where());
    return kDone;
  }
  const std::string changes = counted(TRY(count_changes(db)), "change");
  if (!session.arguments().has("--yes")) {
    const bool person = isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
    const std::string question =
        fmt::format("This takes the trail of {} away; {} would be lost.", db.where(), changes);
    if (!person || !agreed(question))
      return hinted(
          fail(Fault::invalid, "remove the trail of {}: {} would be lost", db.where(), changes),
          "vestige init --remove --yes does it");
  }
  TRY(remove_trail(db));
  session.say(fmt::format("removed the trail of {}; {} lost", db.where(), changes));
  return kDone;
}

Result<int> run_init(Session& session) {
  if (session.arguments().has("--yes") && !session.arguments().has("--remove"))
    return fail(Fault::invalid, "init: --yes goes with --remove");
  Database& db = *TRY(session.database());
  if (session.arguments().has("--remove")) return remove(session, db);
  const std::int64_t before = TRY(installed_version(db));
  if (!TRY(install(db))) session.say(fmt::format("the trail in {} is up to date", db.where()));
  else if (before == 0)
    session.say(fmt::format("installed a trail in {}; next: vestige track TABLE…", db.where()));
  else
    session.say(fmt::format("brought the trail in {} from version {} to {}", db.where(), before,
                            kSchemaVersion));
  return kDone;
}

}  // namespace

Command init_command() {
  return {
      .name = "init",
      .group = "set up",
      .summary = "install the trail in a database, or bring it up to date",
      .about = {"Adds the tables vestige_* to the database, in one transaction. Running it again "
                "changes nothing. No table is tracked until `vestige track`.",
                "With --remove it takes everything away again: the history, the triggers, the "
                "tables vestige_*. It says how many changes would be lost, and does nothing "
                "without --yes (or a yes at the terminal)."},
      .options = {{.names = "--remove", .value = "", .summary = "take the trail away"},
                  {.names = "--yes", .value = "", .summary = "do not ask before --remove"}},
      .examples = {{"vestige --db shop.db init", "install the trail in shop.db"},
                   {"vestige --db shop.db init --remove --yes", "take it away, history and all"}},
      .run = run_init};
}

}  // namespace vestige::cli
