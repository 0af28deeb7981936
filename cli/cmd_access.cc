// access: who was shown what, and whether that is recorded.
#include "cli/session.h"
#include "cli/table.h"
#include "vestige/base/time.h"
#include "vestige/trail/access.h"

namespace vestige::cli {
namespace {

// What was read: "products 1"; of the trail what was asked for: "log products 1".
std::string subject(const Access& one) {
  if (one.table.empty()) return one.verb + (one.filter.empty() ? "" : " " + one.filter);
  std::string out = one.table;
  if (!one.key.empty())
    for (const std::string& word : reported_key(one.key)) out += " " + word;
  return out;
}

void print_csv(Output& output, const Access& one) {
  const auto time = [](std::optional<std::int64_t> at) {
    return at.has_value() ? format_time(*at) : "";
  };
  output.csv({std::to_string(one.change), format_time(one.at), csv_text(one.who.value_or("")),
              one.kind, csv_text(one.table), csv_text(one.key), csv_text(one.purpose),
              csv_text(one.verb), csv_text(one.filter),
              one.entries.has_value() ? std::to_string(*one.entries) : "", csv_text(one.recipient),
              csv_text(one.recipient_address), csv_text(one.description), csv_text(one.request_ref),
              time(one.suspended_until)});
}

Result<AccessRequest> access_request(const Arguments& arguments) {
  AccessRequest request;
  if (!arguments.words().empty()) request.table = arguments.words().front();
  request.key = arguments.words_from(arguments.words().empty() ? 0 : 1);
  request.kinds = TRY(arguments.list("--kind"));
  for (const std::string& kind : request.kinds)
    if (kind != "read" && kind != "disclosure" && kind != "trail" && kind != "export" &&
        kind != "unseal")
      return hinted(fail(Fault::invalid, "access: there is no kind '{}'", kind),
                    "read, disclosure, trail, export, unseal");
  request.who = arguments.values("--actor");
  request.since = TRY(arguments.time("--since"));
  request.until = TRY(arguments.time("--until"));
  request.oldest_first = arguments.has("--reverse");
  return request;
}

Result<int> list_reads(Session& session) {
  const AccessRequest asked = TRY(access_request(session.arguments()));
  const auto limit = TRY(session.arguments().number("--limit"));
  AccessLog reads = TRY(access_log(*TRY(session.database()), asked));
  Output& output = session.output();
  output.long_text();
  if (output.format() == Format::csv)
    output.csv({"change", "at", "who", "kind", "table", "key", "purpose", "verb", "filter",
                "entries", "recipient", "recipient_address", "description", "request_ref",
                "suspended_until"});
  Table table(output, {{.name = "change", .right = true},
                       {.name = time_heading("time")},
                       {.name = "kind"},
                       {.name = "what", .elastic = true, .dear = true},
                       {.name = "who", .elastic = true},
                       {.name = "purpose", .elastic = true},
                       {.name = "recipient", .elastic = true}});
  std::int64_t count = 0;
  while (output.wanted() && (!limit.has_value() || count < *limit)) {
    const auto one = TRY(reads.next());
    if (!one.has_value()) break;
    session.step();
    ++count;
    if (output.format() == Format::json) output.json(to_json(*one));
    if (output.format() == Format::csv) print_csv(output, *one);
    if (output.format() != Format::table) continue;
    table.row({{Label::id, std::to_string(one->change)},
               {Label::time, time_cell(output, one->at)},
               {Label::plain, one->kind},
               {Label::name, subject(*one)},
               {Label::person, one->who.value_or("")},
               {Label::reason, one->purpose},
               {Label::plain, one->recipient}});
  }
  table.end();
  if (count == 0) session.say("no reads");
  return kDone;
}

Result<int> record(Session& session, bool on) {
  Context context;
  if (const auto by = session.arguments().value("--by"); by.has_value()) context.set("actor", *by);
  if (const auto why = session.arguments().value("--reason"); why.has_value())
    context.set("reason", *why);
  Database& db = *TRY(session.database());
  const bool was = TRY(record_access(db, on, context));
  if (was == on)
    session.say(on ? "reads are recorded already" : "reads are not recorded; nothing to do");
  else
    session.say(on ? "from now on reads of the trail and changes of policies are recorded"
                   : "reads of the trail and changes of policies are not recorded any more");
  return kDone;
}

Result<int> run_access(Session& session) {
  const Arguments& arguments = session.arguments();
  const auto on = arguments.value("--record");
  if ((on.has_value() || arguments.has("--prepare")) &&
      (!arguments.words().empty() || (on.has_value() && arguments.has("--prepare"))))
    return hinted(fail(Fault::invalid, "access: --record and --prepare stand alone"),
                  "usage: " + usage(session.command()));
  if (on.has_value()) return record(session, *on == "on");
  if (!arguments.has("--prepare")) return list_reads(session);
  Database& db = *TRY(session.database());
  TRY(prepare_access(db));
  session.say("reads can be reported");
  return kDone;
}

}  // namespace

Command access_command() {
  return {
      .name = "access",
      .group = "look",
      .summary =
          "who was shown what: reads and disclosures, newest first; whether they are recorded",
      .arguments = "[TABLE [KEY…]]",
      .least = 0,
      .most = kAny,
      .about =
          {"An application reports the reads of its own tables, and what it discloses to others, "
           "by vestige.access('patients', '17', purpose => 'treatment') on PostgreSQL, and by an "
           "INSERT into vestige_access on SQLite, where --prepare makes that table "
           "(docs/compliance.md).",
           "After --record on, log, show, diff, blame, field, at, access, prove and export write "
           "down that they were run, by whom, with which arguments and what for (--purpose), "
           "before they show anything; where that cannot be written they show nothing and end with "
           "3. What is tracked, untracked or gets another policy is recorded then, too, in "
           "policy_change. It is off by default: a read that writes takes a lock, and cannot be "
           "done on a standby or a file that may only be read. Whoever reads by SQL is not seen.",
           "All of it stands in tables of the trail's own, which are recorded and sealed as others "
           "are. On PostgreSQL --record is for members of vestige_admin."},
      .options = {{.names = "--kind",
                   .value = "KINDS",
                   .summary = "of these kinds: read, disclosure, trail, export, unseal"},
                  {.names = "--since", .value = "TIME", .summary = "not before (see log)"},
                  {.names = "--until", .value = "TIME", .summary = "before"},
                  {.names = "-n, --limit", .value = "N", .summary = "at most N"},
                  {.names = "--reverse", .value = "", .summary = "oldest first"},
                  {.names = "--record",
                   .value = "WHEN",
                   .summary = "whether reads of the trail and changes of policies are recorded",
                   .choices = {"on", "off"}},
                  {.names = "--prepare",
                   .value = "",
                   .summary = "make the table of reads, so that an application of SQLite can write "
                              "to it"},
                  {.names = "--actor",
                   .value = "NAME",
                   .summary = "by this one: the actor, or where none was said the database's user",
                   .repeated = true},
                  {.names = "--reason", .value = "TEXT", .summary = "why, of --record"},
                  format_option()},
      .examples = {{"vestige access patients 17 --since 6mo", "who has seen this patient's record"},
                   {"vestige access --record on --by ann --reason 'PCI 10.2.1.3'",
                    "record every read of the trail from now on"},
                   {"vestige access --kind trail --format json", "who looked into the trail"}},
      .run = run_access};
}

}  // namespace vestige::cli
