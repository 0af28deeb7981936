// export: the evidence itself, or the changes in a format that others read.
#include "cli/filter.h"
#include "cli/follow.h"
#include "cli/session.h"
#include "vestige/audit/prove.h"
#include "vestige/base/file.h"
#include "vestige/feed/ocsf.h"

namespace vestige::cli {
namespace {

constexpr const char* kEvidence = "evidence";

Result<int> print_evidence(Session& session) {
  const Arguments& arguments = session.arguments();
  for (const std::string_view option : {"--query", "--until", "--after", "--follow", "--consumer",
                                        "--limit", "--profile", "--origin"})
    if (arguments.has(option))
      return hinted(
          fail(Fault::invalid, "export: {} is for changes, and this is the evidence", option),
          "name their format: --format ocsf");
  const auto since = TRY(arguments.time("--since"));
  Database& db = *TRY(session.database());
  const auto lines = TRY(Export::open(db, since));
  if (const auto file = arguments.value("--checkpoint"))
    TRY(replace_file(*file, lines->checkpoint()));
  Output& output = session.output();
  while (output.wanted()) {
    const auto line = TRY(lines->next());
    if (!line.has_value()) break;
    session.step();
    output.json(*line);
  }
  return kDone;
}

Result<EventFunction> event_function(const Arguments& arguments, const std::string& format) {
  if (!arguments.has("--profile")) return find_event_format(format)->write;
  if (format != "ocsf")
    return hinted(fail(Fault::invalid, "export: {} has no profiles", format),
                  "--profile goes with --format ocsf");
  return &ocsf_entity;
}

// "shop.db" of "sqlite:/srv/shop.db", "shop" of "postgresql://ann@db:5432/shop".
std::string database_name(const Database& db) {
  const std::string where = db.where();
  const std::size_t place = where.find_last_of("/:");
  return place == std::string::npos ? where : where.substr(place + 1);
}

// The trail goes by the name under which it was signed last.
Result<Origin> origin_of(Database& db, const Arguments& arguments) {
  Origin origin = {
      .log = arguments.text("--origin"), .database = database_name(db), .version = VESTIGE_VERSION};
  if (!origin.log.empty()) return origin;
  const auto checkpoint = TRY(EvidenceStore(db).last_checkpoint());
  origin.log = checkpoint.has_value() ? checkpoint->note.substr(0, checkpoint->note.find('\n'))
                                      : origin.database;
  return origin;
}

Result<int> run_export(Session& session) {
  const Arguments& arguments = session.arguments();
  const std::string format = arguments.value("--format").value_or(kEvidence);
  if (format == kEvidence) return print_evidence(session);
  if (arguments.has("--checkpoint"))
    return hinted(
        fail(Fault::invalid, "export: a checkpoint covers the evidence, and no {}", format),
        "leave --format away, or --checkpoint");
  const EventFunction write = TRY(event_function(arguments, format));
  LogRequest request;
  request.filter = TRY(filter(arguments));
  request.filter.since = TRY(arguments.time("--since"));
  request.filter.until = TRY(arguments.time("--until"));
  request.filter.limit = TRY(arguments.number("--limit")).value_or(0);
  Database& db = *TRY(session.database());
  const Origin origin = TRY(origin_of(db, arguments));
  Output& output = session.output();
  return follow(session, db, request, {.print = [&](const Change& change) {
                  session.step();
                  output.json(write(change, origin));
                }});
}

std::vector<std::string> format_names() {
  std::vector<std::string> names = {kEvidence};
  for (const EventFormat& one : event_formats()) names.emplace_back(one.name);
  return names;
}

}  // namespace

Command export_command() {
  return {
      .name = "export",
      .group = "prove",
      .summary = "print the evidence itself, for others to check, or changes for a SIEM",
      .about =
          {"Prints one line for each entry under the last checkpoint: the entry, the salts, "
           "and the exact bytes that were sealed (docs/format.md). `vestige check` checks the "
           "file against the checkpoint, offline.",
           "With another --format it prints the changes of the feed, each with its index, in a "
           "format that others read (docs/siem.md): OCSF 1.8.0, CEF, CloudEvents 1.0, ECS 9, or "
           "Debezium's envelope. --after, --follow and --consumer are as those of log, FILTER "
           "is that of log -q. Encrypted and redacted values are named as such, and never "
           "leave."},
      .options = {{.names = "--format",
                   .value = "FORMAT",
                   .summary = "evidence (the default), ocsf, cef, cloudevents, ecs or debezium",
                   .choices = format_names()},
                  {.names = "--profile",
                   .value = "PROFILE",
                   .summary = "of ocsf: entity writes Entity Management (3004) in the place of "
                              "Datastore Activity (6005)",
                   .choices = {"entity"}},
                  {.names = "-q, --query",
                   .value = "FILTER",
                   .summary = "changes that a filter describes, e.g. 'op:update old.price>100'",
                   .repeated = true},
                  {.names = "--since",
                   .value = "TIME",
                   .summary = "from the first change at or after a time on"},
                  {.names = "--until", .value = "TIME", .summary = "changes before a time"},
                  {.names = "--after",
                   .value = "INDEX",
                   .summary = "changes behind that place of the feed; -1: from its beginning"},
                  {.names = "-n, --limit", .value = "N", .summary = "at most N changes"},
                  {.names = "-f, --follow",
                   .value = "",
                   .summary = "what is committed from now on, as it comes, until it is stopped"},
                  {.names = "--consumer",
                   .value = "NAME",
                   .summary = "what this consumer had not yet; its place is kept in the trail"},
                  {.names = "--origin",
                   .value = "NAME",
                   .summary = "what the trail is called in the events; otherwise the origin of its "
                              "last checkpoint, or the database's name"},
                  {.names = "--checkpoint",
                   .value = "FILE",
                   .summary = "of the evidence: write the checkpoint that covers it to this file"}},
      .examples = {{"vestige export --checkpoint checkpoint.txt > trail.ndjson",
                    "everything, and what to check it against"},
                   {"vestige export --format ocsf --consumer siem",
                    "what is new since this was asked last, for a SIEM"}},
      .run = run_export};
}

}  // namespace vestige::cli
