// archive: a range of the feed as files that need no database, and whether they are whole.
#include <algorithm>

#include "cli/session.h"
#include "cli/trust.h"
#include "vestige/audit/archive.h"
#include "vestige/base/time.h"

namespace vestige::cli {
namespace {

// What is known of the archive: hashes that were given, and what a database that was named has recorded.
Result<ArchiveRecords> records_of(Session& session, const Arguments& arguments) {
  ArchiveRecords records;
  records.manifests = arguments.values("--manifest");
  if (arguments.has("--db")) records.of_trail = TRY(recorded_parts(*TRY(session.database())));
  return records;
}

std::string had_expired(std::uint64_t expired) {
  return expired == 0 ? ""
                      : fmt::format("; of {} nothing but the entry, as they had expired", expired);
}

Result<int> verify(Session& session) {
  const Arguments& arguments = session.arguments();
  if (arguments.words().size() != 2)
    return hinted(fail(Fault::invalid, "archive verify: which directory?"),
                  "vestige archive verify DIR --vkey KEY");
  const std::string& directory = arguments.words()[1];
  const Trust trust = TRY(trust_of(arguments));
  const ArchiveVerdict verdict =
      TRY(verify_archive(directory, trust, TRY(records_of(session, arguments))));
  Output& output = session.output();
  for (const ArchiveComplaint& one : verdict.complaints) {
    if (output.format() == Format::json)
      output.json(fmt::format(R"({{"good":false,"file":{},"complaint":{}}})", text_json(one.file),
                              text_json(one.what)));
    else output.line({{Label::bad, "not proved: "}, {Label::plain, one.file + ": " + one.what}});
  }
  const bool good = verdict.complaints.empty();
  if (output.format() == Format::json)
    output.json(fmt::format(
        R"({{"good":{},"archive":{},"parts":{},"from":{},"changes":{},"expired":{},"unrecorded":{}}})",
        good, text_json(directory), verdict.parts, verdict.from, verdict.changes, verdict.expired,
        list_json(verdict.unrecorded)));
  else if (good)
    output.line(
        {{Label::good, "authentic: "},
         {Label::plain, fmt::format("{} in {}, from entry {} on{}",
                                    counted(static_cast<std::int64_t>(verdict.changes), "change"),
                                    counted(static_cast<std::int64_t>(verdict.parts), "part"),
                                    verdict.from, had_expired(verdict.expired))}});
  if (output.format() != Format::json)
    for (const std::string& part : verdict.unrecorded)
      output.line(
          {{Label::plain, "not recorded: "},
           {Label::plain, part + ": what its manifest says of tables (policies, columns), and the "
                                 "users of erased contexts: nobody names its hash "
                                 "(--manifest HASH, --db)"}});
  return good ? kDone : kNo;
}

Result<int> run_archive(Session& session) {
  const Arguments& arguments = session.arguments();
  if (!arguments.words().empty() && arguments.words().front() == "verify") return verify(session);
  if (!arguments.words().empty())
    return hinted(fail(Fault::invalid, "archive: '{}' is nothing that can be done",
                       arguments.words().front()),
                  "verify DIR, or --out DIR");
  ArchiveRequest request;
  request.directory = arguments.text("--out");
  request.before = TRY(arguments.time("--before"));
  if (request.directory.empty()) request.directory = TRY(session.archive());
  if (request.directory.empty())
    return hinted(fail(Fault::invalid, "archive: where to?"),
                  "--out DIR, or [archive] directory = \"DIR\" in vestige.toml");
  const Context context = TRY(arguments.context());
  Database& db = *TRY(session.database());
  const auto part = TRY(write_archive(
      db, request, context, [&](std::uint64_t done, std::uint64_t of) { session.step(done, of); }));
  if (!part.has_value()) {
    const std::string why = TRY(why_nothing_to_archive(db, request));
    const std::size_t end = std::min(why.find('\n'), why.size());
    session.say(why.substr(0, end));
    if (end < why.size()) session.say(why.substr(end + 1));
    return kDone;
  }
  if (session.format() == Format::json)
    session.output().json(
        fmt::format(R"({{"part":{},"from":{},"upto":{},"expired":{},"manifest":"{}"}})",
                    text_json(part->folder), part->manifest.from, part->manifest.upto,
                    part->manifest.expired, part->sha256));
  session.say(fmt::format(
      "archived {} as {}{}",
      counted(static_cast<std::int64_t>(part->manifest.upto - part->manifest.from), "change"),
      part->folder, had_expired(part->manifest.expired)));
  return kDone;
}

}  // namespace

Command archive_command() {
  return {
      .name = "archive",
      .group = "prove",
      .summary = "write sealed changes to files that need no database, and check such files",
      .arguments = "--out DIR | verify DIR",
      .least = 0,
      .most = 2,
      .about =
          {"Writes the part of the feed that follows the last one in DIR, up to the last "
           "checkpoint, or with --before up to the last one that covers only older changes. A part "
           "is a folder: the evidence (entries.ndjson.zst, which `vestige check` and others check "
           "against its checkpoint), the changes as log prints them (changes.ndjson.zst), the "
           "tree's tiles, a signed checkpoint, and a manifest with the SHA-256 of each file "
           "(docs/format.md). It is written beside, and renamed when it is whole: a run that was "
           "cut off is run again. That it was written is recorded in the trail, with the "
           "manifest's hash.",
           "verify walks all of an archive, names each file that is not what it was, and holds "
           "what readers are shown against what was sealed. It needs no database: only the files, "
           "and the public keys of those who are trusted. What does not follow from what was "
           "sealed (names of today, what PostgreSQL's types print as JSON) is taken only from "
           "parts of which the manifest's hash is known: from the part after it, by --manifest, or "
           "from the database that --db names.",
           "log, show, blame, at, field and report read an archive with --archive DIR, or "
           "[archive] "
           "directory = \"DIR\" in vestige.toml: alone where no database is named, otherwise as "
           "one history "
           "with "
           "what the database still has. On PostgreSQL archives are written by members of "
           "vestige_admin and vestige_auditor."},
      .options = joined(
          joined(
              {{.names = "--out",
                .value = "DIR",
                .summary = "the archive; made where it is not there"},
               {.names = "--before", .value = "TIME", .summary = "only changes before a time"},
               {.names = "--vkey",
                .value = "KEY",
                .summary = "of verify: a public key, or a file of them",
                .repeated = true},
               {.names = "--manifest",
                .value = "HASH",
                .summary = "of verify: the SHA-256 of a part's manifest, as the trail recorded it",
                .repeated = true},
               {.names = "--policy",
                .value = "FILE",
                .summary = "of verify: logs, witnesses and quorum (C2SP tlog-policy)"}},
              context_options("--actor")),
          {{.names = "--format",
            .value = "FORMAT",
            .summary = "table for people (the default), or json",
            .choices = {"table", "json"}}}),
      .actions = {{"", "--out --before " + names_of(context_options("--actor"))},
                  {"verify", "--vkey --manifest --policy"}},
      .examples = {{"vestige archive --before 90d --out /srv/archive",
                    "what is older than 90 days"},
                   {"vestige archive verify /srv/archive --vkey seal.vkey",
                    "is it whole and unaltered?"},
                   {"vestige log --archive /srv/archive products 1",
                    "a row's history, also without the database"}},
      .all_or_nothing = true,
      .run = run_archive};
}

}  // namespace vestige::cli
