// expire: take away what is older than its class of retention is kept.
#include "cli/counts.h"
#include "cli/session.h"
#include "cli/table.h"
#include "vestige/audit/expire.h"

namespace vestige::cli {
namespace {

std::string number(std::uint64_t count) { return grouped(static_cast<std::int64_t>(count)); }

void print(Session& session, const Expiring& done, bool dry_run) {
  Output& output = session.output();
  const std::string gone = dry_run ? "would go" : "expired";
  if (output.format() == Format::csv)
    output.csv({"class", "keep", "due", "held", "kept", "expired", "bytes"});
  Table table(output, {{.name = "class", .elastic = true},
                       {.name = "kept for"},
                       {.name = "due", .right = true},
                       {.name = "held", .right = true},
                       {.name = "kept", .right = true},
                       {.name = gone, .right = true},
                       {.name = "bytes", .right = true}});
  for (const ClassExpiry& one : done.classes) {
    if (output.format() == Format::json) output.json(to_json(one, dry_run));
    if (output.format() == Format::csv)
      output.csv({csv_text(one.retention.name), csv_text(described(one.retention)),
                  std::to_string(one.due), std::to_string(one.held), std::to_string(one.kept()),
                  std::to_string(one.gone), std::to_string(one.bytes)});
    if (output.format() != Format::table) continue;
    table.row({{Label::name, one.retention.name},
               {Label::plain, described(one.retention)},
               {Label::plain, number(one.due)},
               {Label::plain, number(one.held)},
               {Label::plain, number(one.kept())},
               {Label::plain, number(one.gone)},
               {Label::plain, grouped(one.bytes)}});
  }
  table.end();
}

// Why something that is due stays.
void say_why(Session& session, const Expiring& done) {
  ClassExpiry all;
  for (const ClassExpiry& one : done.classes) {
    all.unsealed += one.unsealed;
    all.behind += one.behind;
    all.unarchived += one.unarchived;
    all.early += one.early;
    all.waiting += one.waiting;
  }
  if (all.unsealed > 0)
    session.say(fmt::format("kept: {} not sealed yet: vestige seal", number(all.unsealed)));
  if (all.behind > 0) {
    std::string who;
    for (const CursorStanding& one : done.lagging)
      who += fmt::format("{}{} ({} behind)", who.empty() ? "" : ", ", one.consumer,
                         grouped(one.behind));
    session.say(
        fmt::format("kept: {} with which a consumer is not done: {}", number(all.behind), who));
  }
  if (all.unarchived > 0)
    session.say(
        fmt::format("kept: {} that no archive has: vestige archive --out DIR, and then"
                    " --archive DIR here",
                    number(all.unarchived)));
  for (const ArchiveComplaint& one : done.unread)
    session.say(fmt::format("not counted as archived: {}: {}", one.file, one.what));
  if (all.early > 0)
    session.say(
        fmt::format("kept: {} that say an earlier time than changes before them, which are not due:"
                    " vestige verify names them",
                    number(all.early)));
  if (all.waiting > 0)
    session.say(
        fmt::format("kept: {} in partitions of which more must be due to be worth a copy: --all, or"
                    " when they are twice as old as their class is kept",
                    number(all.waiting)));
  if (done.classes.empty())
    session.say("no class of retention has an end: [retention] of vestige.toml names them");
}

Result<int> run_expire(Session& session) {
  const Arguments& arguments = session.arguments();
  ExpireRequest request;
  request.dry_run = arguments.has("--dry-run");
  request.all = arguments.has("--all");
  request.archive = TRY(session.archive());
  Context context = TRY(arguments.context());
  if (context.get("reason") == nullptr) context.set("reason", "retention");
  const Expiring done =
      TRY(expire(*TRY(session.database()), request, context, [&] { session.step(); }));
  print(session, done, request.dry_run);
  say_why(session, done);
  if (request.dry_run) session.say("nothing was changed");
  return done.unread.empty() ? kDone : kNo;
}

}  // namespace

Command expire_command() {
  return {
      .name = "expire",
      .group = "change",
      .summary = "take away what is older than its class of retention is kept",
      .about =
          {"Carries out what [retention] of vestige.toml and the policies of tables say: changes "
           "of "
           "a table whose class is kept for a time go when they are older than that, with their "
           "values, and the contexts that no change names any more. Each time an EXPIRE is "
           "recorded, a change that says which class, how many, between which ids, and a digest of "
           "what was sealed of them. verify accepts just that, and names it; entries, checkpoints "
           "and receipts stay.",
           "What is of a class that says archive = true goes only where an archive has it: the "
           "part "
           "is read back, and held against the trail, first. Of what is wrong with an archive each "
           "file is named, nothing of that part goes, and the answer is 1.",
           "Only what is sealed goes, and nothing before the cursor of a consumer (log --consumer, "
           "watch), who is named. On PostgreSQL closed partitions go, or are copied without "
           "what is due when that is more than a fifth, or some of it is twice as old as its "
           "class is kept, or with --all; the trail's owner runs it. On SQLite "
           "changes go a thousand at a time. It can be stopped at any time and run again. Run it "
           "every night."},
      .options = joined(
          joined(
              {{.names = "--dry-run", .value = "", .summary = "change nothing; say what would go"},
               {.names = "--all",
                .value = "",
                .summary = "copy a partition however little of it is due"},
               {.names = "--archive",
                .value = "DIR",
                .summary = "where it is archived; otherwise [archive] of vestige.toml"}},
              context_options("--actor")),
          {format_option()}),
      .examples = {{"vestige expire --dry-run", "what is due, of each class"},
                   {"vestige expire --actor cron", "from cron or a systemd timer"}},
      .all_or_nothing = true,
      .run = run_expire};
}

}  // namespace vestige::cli
