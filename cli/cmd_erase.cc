// erase: take what was recorded of a person out of the trail.
#include "cli/session.h"
#include "vestige/audit/erase.h"

namespace vestige::cli {
namespace {

Result<EraseRequest> erase_request(const Arguments& arguments) {
  EraseRequest request;
  const auto& words = arguments.words();
  const int ways = static_cast<int>(!words.empty()) + static_cast<int>(arguments.has("--change")) +
                   static_cast<int>(arguments.has("--tx"));
  if (ways != 1)
    return hinted(fail(Fault::invalid, "erase: say what, in just one way"),
                  "TABLE KEY…, or --change ID…, or --tx N");
  if (words.size() == 1 && !arguments.has("--column"))
    return hinted(fail(Fault::invalid, "erase: which row of {}?", words.front()),
                  "the values of its key follow the table's name; --change ID erases one change");
  if (!words.empty()) request.table = words.front();
  request.key = arguments.words_from(1);
  for (const std::string& id : arguments.values("--change"))
    request.changes.push_back(TRY(parse_number("the change", id)));
  request.tx = TRY(arguments.number("--tx"));
  request.columns = TRY(arguments.list("--column"));
  request.keys = arguments.has("--keys");
  request.contexts = arguments.has("--contexts");
  request.dry_run = arguments.has("--dry-run");
  return request;
}

void say_done(Session& session, const Erasing& done, bool dry_run) {
  if (done.by.empty() && done.archived == 0)
    return session.say("nothing to erase: it was erased before, or never recorded");
  std::string what;
  const auto add = [&](std::int64_t count, std::string_view part) {
    if (count > 0)
      what += fmt::format("{}{} of {}", what.empty() ? "" : ", ", part, grouped(count));
  };
  add(done.values, "the values");
  add(done.keys, "the keys");
  add(done.contexts, "the contexts");
  what += done.changes == 1 ? " change" : " changes";
  std::string by;
  for (const std::int64_t id : done.by) by += fmt::format("{} {}", by.empty() ? "" : ",", id);
  if (done.others > 0)
    session.say(fmt::format("note: {} of what is to be erased, and {} as {}",
                            done.others == 1 ? "1 change holds nothing"
                                             : grouped(done.others) + " changes hold nothing",
                            done.others == 1 ? "stays" : "stay",
                            done.others == 1 ? "it is" : "they are"));
  if (dry_run) return session.say("nothing was changed; it would be: " + what);
  if (!done.by.empty()) session.say(fmt::format("erased: {}; recorded as change{}", what, by));
  if (done.archived > 0)
    session.say(fmt::format("erased in the archive: parts of {}; written anew: {}",
                            counted(done.archived, "change"), counted(done.parts, "part")));
  if (done.held > 0)
    session.say(fmt::format("kept in the archive: {}, since a hold keeps what an ERASE names there",
                            counted(done.held, "change")));
}

// What an erasure does not reach.
void say_limits(Session& session, const Erasing& done) {
  if (done.row_stands)
    session.say(
        "note: the row stands in the table still; deleting it records its values once more:"
        " delete first, then erase");
  if (done.alerts > 0)
    session.say(
        fmt::format("note: {} said something of it and {} not any more; what was told of"
                    " {} to others stands where it was delivered",
                    counted(done.alerts, "alert"), done.alerts == 1 ? "does" : "do",
                    done.alerts == 1 ? "it" : "them"));
  session.say(fmt::format("note: {}", done.remains));
}

Result<int> run_erase(Session& session) {
  const Arguments& arguments = session.arguments();
  EraseRequest asked = TRY(erase_request(arguments));
  asked.archive = TRY(session.archive());
  const Context context = TRY(arguments.context());
  Database& db = *TRY(session.database());
  const Erasing done = TRY(erase(db, asked, context));
  if (session.format() == Format::json) session.output().json(to_json(done, asked.dry_run));
  say_done(session, done, asked.dry_run);
  if (!asked.dry_run && !done.by.empty()) say_limits(session, done);
  return kDone;
}

constexpr const char* kWhatIsReached =
    "--archive takes it from an archive, too: each part that has what any ERASE of the trail took "
    "is written anew without it, and "
    "still proves what it proved. Run again, it goes on where it was cut off. The row in the table "
    "is not touched: delete it first. "
    "What a row was before an erased change is not known any more; at, diff, restore and revert "
    "say so.";

}  // namespace

Command erase_command() {
  return {
      .name = "erase",
      .group = "change",
      .summary = "remove what was recorded about a person, and say why",
      .arguments = "TABLE KEY… | TABLE --column COLUMN | --change ID… | --tx N",
      .least = 0,
      .most = kAny,
      .about =
          {"Removes recorded values, for good: of every change of a row, under each key that it "
           "had "
           "(all that log shows of it), of single changes, or of a transaction. That they were "
           "made, "
           "when and by whom stays, and so do the entries, checkpoints and receipts: verify says "
           "'erased by change N' and goes on. It is recorded as an ERASE, a change with actor and "
           "reason, which is sealed like any other; a reason is required, and should name nobody.",
           "--keys takes the rows' keys as well: then nobody finds out any more whose changes they "
           "were. --contexts takes what the application said of them: who, why and from where. A "
           "context belongs to a whole transaction, so that its other changes lose it, too; what "
           "the "
           "database itself recorded of it stays.",
           "--column takes of these only the changes that hold a value of that column, each with "
           "all its values: one fingerprint stands for "
           "all values of a change, so that what stayed of them could not be proved any more. Of "
           "an UPDATE those are the columns that it "
           "changed. The other changes of the row stay as they are. With a table and no key it is "
           "every row that the table ever had.",
           kWhatIsReached},
      .options = joined(
          joined(
              {{.names = "--change", .value = "ID", .summary = "this change", .repeated = true},
               {.names = "--tx", .value = "N", .summary = "every change of a transaction"},
               {.names = "--column",
                .value = "COLUMNS",
                .summary = "only changes that hold a value of these; all their values",
                .repeated = true},
               {.names = "--keys", .value = "", .summary = "the rows' keys, too"},
               {.names = "--contexts",
                .value = "",
                .summary = "what the application said of the transactions, too"},
               {.names = "--archive",
                .value = "DIR",
                .summary = "an archive that it reaches into; otherwise [archive] of vestige.toml"},
               {.names = "--dry-run",
                .value = "",
                .summary = "change nothing; say how much it would be"}},
              context_options("--actor")),
          {format_option()}),
      .examples =
          {{"vestige erase customers 17 --keys --contexts --actor dpo --reason 'request 4711'",
            "everything of one row"},
           {"vestige erase patients 17 --column ssn --actor dpo --reason 'request 4711'",
            "what was recorded of one column"},
           {"vestige erase cards --column number --actor dpo --reason 'ticket 12'",
            "what was recorded of one column, in every row"},
           {"vestige erase --change 1207 --reason 'password in a note' --actor ann", "one change"}},
      .all_or_nothing = true,
      .run = run_erase};
}

}  // namespace vestige::cli
