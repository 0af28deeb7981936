// restore and revert: put rows back.
#include "cli/filter.h"
#include "cli/outcome.h"
#include "cli/session.h"
#include "vestige/audit/revert.h"

namespace vestige::cli {
namespace {

Result<int> run_restore(Session& session) {
  const Arguments& arguments = session.arguments();
  if (!arguments.has("--to"))
    return hinted(fail(Fault::invalid, "restore: --to is missing"),
                  "give a moment: --to 3, --to 2026-01-01, --to 2h, --to tx:12~");
  const Moment to = TRY(session.moment(arguments.text("--to")));
  const bool many = arguments.words().size() == 1;
  if (many != arguments.has("--query"))
    return hinted(
        fail(Fault::invalid, "restore: {}",
             many ? "which rows is missing" : "there is a KEY and a --query"),
        "give a KEY, or rows by their keys: -q key:1,2; -q 'key:*' is every row of the table");
  if (!many && arguments.has("--skip-conflicts"))
    return fail(Fault::invalid, "restore: --skip-conflicts is for many rows, with --query");
  PatchPrinter patch(session);
  const ApplyOptions options = TRY(apply_options(session, patch));
  RestoreRequest request;
  request.table = arguments.words().front();
  request.filter = TRY(read_filters(arguments));
  request.to = to;
  request.column = arguments.value("--column");
  Database& db = *TRY(session.database());
  if (many) {
    const Outcome outcome = TRY(restore(db, request, options));
    print_outcome(session, outcome, {.undone = "undone", .noun = "change"});
  } else {
    const Outcome outcome =
        TRY(restore(db, request.table, arguments.words_from(1), to, options, request.column));
    print_outcome(session, outcome, {.undone = "restored", .noun = "row"});
  }
  TRY(session.say_limits(arguments.words().front(), to));
  return kDone;
}

Result<RevertRequest> revert_request(const Arguments& arguments) {
  RevertRequest request;
  const bool by_whom = arguments.has("--actor") || arguments.has("--db-user");
  const int ways =
      (arguments.has("--tx") ? 1 : 0) + (arguments.has("--change") ? 1 : 0) + (by_whom ? 1 : 0);
  if (ways != 1)
    return hinted(fail(Fault::invalid, "revert: say what, in just one way"),
                  "--tx N, or --change ID…, or --actor NAME --since TIME");
  if (by_whom && !arguments.has("--since"))
    return fail(Fault::invalid, "revert: --actor (or --db-user) and --since go together");
  if (arguments.has("--key") && !arguments.has("--table"))
    return hinted(fail(Fault::invalid, "revert: --key without --table"), "--table T --key K");
  if (!arguments.has("--change") && !arguments.words().empty())
    return hinted(fail(Fault::invalid, "revert: '{}' is not an option", arguments.words().front()),
                  "--change " + arguments.words().front());
  const Selection chosen = TRY(filter(arguments));
  request.tx = chosen.tx;
  request.who = chosen.who;
  request.db_users = chosen.db_users;
  request.since = TRY(arguments.time("--since"));
  request.until = TRY(arguments.time("--until"));
  request.ops = chosen.ops;
  request.filter = chosen.filter;
  if (chosen.columns.size() > 1) return fail(Fault::invalid, "revert: --column is given twice");
  if (!chosen.columns.empty()) request.column = chosen.columns.front();
  request.table = arguments.text("--table");
  request.key = arguments.values("--key");
  std::vector<std::string> ids = arguments.values("--change");
  ids.insert(ids.end(), arguments.words().begin(), arguments.words().end());
  for (const std::string& id : ids) request.changes.push_back(TRY(parse_number("the change", id)));
  return request;
}

Result<int> run_revert(Session& session) {
  const RevertRequest asked = TRY(revert_request(session.arguments()));
  PatchPrinter patch(session);
  const ApplyOptions options = TRY(apply_options(session, patch));
  Database& db = *TRY(session.database());
  const Outcome outcome = TRY(revert(db, asked, options));
  print_outcome(session, outcome, {.undone = "reverted", .noun = "change"});
  if (asked.tx.has_value()) TRY(session.say_neighbours(*asked.tx, "revert"));
  return kDone;
}
}  // namespace

Command restore_command() {
  return {
      .name = "restore",
      .group = "change",
      .summary = "put a row, or many, back to what they were, also deleted ones",
      .arguments = "TABLE KEY… | TABLE -q FILTER",
      .least = 1,
      .most = kAny,
      .about =
          {"Writes the row as it was at a moment, in one transaction, recorded like any other "
           "change. Columns that are not recorded keep their values, and are named. When the "
           "row cannot be put back, nothing happens (exit 3).",
           "With -q it does so to every row that FILTER chooses, also under another key that it "
           "got since, with conflicts as revert has them: all of them, or nothing.",
           kKeyFilter,
           "With --column it puts back that column alone; rows that were inserted or deleted "
           "since are left alone."},
      .options = undo_options(
          {{.names = "--to",
            .value = "MOMENT",
            .summary = "just after a change, a time (see log), or by name: tx:12~, ~3 (see diff)"},
           key_filter_option(),
           {.names = "--column", .value = "NAME", .summary = "only this column"},
           dry_run_option(),
           patch_option(),
           {.names = "--force", .value = "", .summary = "put it back in spite of conflicts"},
           {.names = "--skip-conflicts",
            .value = "",
            .summary = "with -q: put back what has no conflict"}}),
      .examples = {{"vestige restore products 1 --to 3 --dry-run", "see what it would do"},
                   {"vestige restore products 1 --to 2h --by ann", "as it was two hours ago"},
                   {"vestige restore products 1 --to tx:12~ --column price", "the price alone"},
                   {"vestige restore products -q 'key.id<100' --to 09:30 --dry-run",
                    "what it would do to many rows"}},
      .all_or_nothing = true,
      .writes = true,
      .run = run_restore};
}

Command revert_command() {
  return {
      .name = "revert",
      .group = "change",
      .summary = "undo a transaction, single changes, or what somebody did",
      .arguments = "--tx N | --change ID… | --actor NAME --since TIME",
      .least = 0,
      .most = kAny,
      .about =
          {"Undoes the changes in one transaction that is recorded like any other; unless --reason "
           "is given its reason is 'revert of tx N'. All of them, or nothing. What is already as "
           "it "
           "should be is left alone. A column that was changed since is a conflict: it is shown, "
           "and "
           "nothing happens (exit 3), unless --force undoes it all the same or --skip-conflicts "
           "leaves it out, and undoes the other columns.",
           "--query, --table, --key, --op, --column, --since and --until narrow what is undone. "
           "With "
           "--column "
           "it is that column of UPDATEs; rows that were inserted or deleted are left alone.",
           "--actor selects whose changes are undone; who undoes them is said by --by."},
      .options = undo_options(joined(
          joined(
              {{.names = "--tx", .value = "N", .summary = "every change of a transaction"},
               {.names = "--change", .value = "ID", .summary = "these changes", .repeated = true},
               {.names = "--table", .value = "TABLE", .summary = "of these, changes of a table"},
               {.names = "--key",
                .value = "KEY",
                .summary = "with --table: of a row; once for each key column",
                .repeated = true}},
              filter_options()),
          {dry_run_option(),
           patch_option(),
           {.names = "--force", .value = "", .summary = "undo in spite of conflicts"},
           {.names = "--skip-conflicts", .value = "", .summary = "undo what has no conflict"}})),
      .examples = {{"vestige revert --tx 12 --dry-run", "see the patch"},
                   {"vestige revert --tx 12 --by ann --reason 'wrong file'", "undo a transaction"},
                   {"vestige revert --tx 12 --table products --column price", "undo a part of it"},
                   {"vestige revert --actor import --since 1h", "undo what the import did"}},
      .all_or_nothing = true,
      .writes = true,
      .run = run_revert};
}

}  // namespace vestige::cli
