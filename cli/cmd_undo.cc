// undo: revert of one's own last transaction, which is shown first.
#include "cli/change_printer.h"
#include "cli/consent.h"
#include "cli/outcome.h"
#include "cli/session.h"
#include "cli/stat_text.h"
#include "vestige/audit/own.h"
#include "vestige/audit/revert.h"

namespace vestige::cli {
namespace {

constexpr std::int64_t kShown = 10;

// What the transaction did, and its first changes.
Result<void> show(Session& session, Database& db, const TransactionStat& stat) {
  Output& output = session.output();
  StatPrinter head(output);
  head.print(stat);
  head.end();
  if (output.format() != Format::table) return {};
  output.line({});
  Selection changes_of_it;
  changes_of_it.tx = stat.tx;
  changes_of_it.oldest_first = true;
  changes_of_it.limit = kShown;
  auto changes = TRY(read_changes(db, changes_of_it));
  ChangePrinter printer(output, ChangeForm{});
  while (const auto change = TRY(changes->next())) printer.print(*change);
  printer.end();
  if (stat.changes > kShown)
    output.line({{Label::faint, fmt::format("and {} more: vestige show --tx {}",
                                            grouped(stat.changes - kShown), stat.tx)}});
  output.flush();
  return {};
}

Result<int> run_undo(Session& session) {
  const Arguments& arguments = session.arguments();
  PatchPrinter patch(session);
  const ApplyOptions options = TRY(apply_options(session, patch));
  Database& db = *TRY(session.database());
  const Own me = TRY(own(db, options.context.get("actor")));
  const TransactionStat stat = TRY(last_transaction(db, me));
  const bool asks = !arguments.has("--yes") && !options.dry_run;
  const std::string what = fmt::format("tx {} of {}", stat.tx, me.text());
  if (options.dry_run) session.say(fmt::format("{}: {}", what, what_was_done(stat)));
  else if (asks || session.format() == Format::table) TRY(show(session, db, stat));
  session.finish();
  if (asks && !agreed(fmt::format("This undoes {}: {}.", what, counted(stat.changes, "change"))))
    return hinted(fail(Fault::invalid, "undo {}: nothing was changed, nobody said yes", what),
                  "vestige undo --yes does it, --dry-run prints the patch");
  RevertRequest request;
  request.tx = stat.tx;
  const Outcome outcome = TRY(revert(db, request, options));
  print_outcome(session, outcome, {.undone = "reverted", .noun = "change"});
  TRY(session.say_neighbours(stat.tx, "revert"));
  return kDone;
}

}  // namespace

Command undo_command() {
  return {
      .name = "undo",
      .group = "change",
      .summary = "undo one's own last transaction, which is shown first",
      .arguments = "",
      .least = 0,
      .most = 0,
      .about = {"The last transaction is that of the actor whom --by names; without it of the "
                "database's user, where no actor was said, or on SQLite, which has no users, of "
                "nobody who was named. It is shown, and reverted when the person at the terminal "
                "says yes, or with --yes; see revert. The undoing is a transaction of one's own, "
                "too: undo once more undoes it."},
      .options = undo_options(
          {{.names = "--yes", .value = "", .summary = "do not ask"},
           dry_run_option(),
           patch_option(),
           {.names = "--force", .value = "", .summary = "undo in spite of conflicts"},
           {.names = "--skip-conflicts", .value = "", .summary = "undo what has no conflict"}}),
      .examples = {{"vestige undo --by ann", "what did I do last? and undo it"},
                   {"vestige undo --dry-run", "the patch that it would be"}},
      .all_or_nothing = true,
      .writes = true,
      .run = run_undo};
}

}  // namespace vestige::cli
