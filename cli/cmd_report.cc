// report: what an auditor asks for, with what makes sure that it is all.
#include <algorithm>

#include "cli/filter.h"
#include "cli/login.h"
#include "cli/out_file.h"
#include "cli/report_names.h"
#include "cli/report_text.h"
#include "cli/session.h"
#include "cli/signers.h"
#include "cli/trust.h"
#include "vestige/audit/log.h"
#include "vestige/audit/report_basis.h"
#include "vestige/base/period.h"
#include "vestige/base/time.h"
#include "vestige/report/html.h"
#include "vestige/report/note.h"
#include "vestige/trail/access.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/install.h"

namespace vestige::cli {
namespace {

class OutputSink final : public ReportSink {
 public:
  explicit OutputSink(Output& output) : output_(output) {}
  void write(std::string_view bytes) override { output_.text(bytes); }
  bool wanted() const override { return output_.wanted(); }

 private:
  Output& output_;
};

// [report] of vestige.toml, and what the command line says instead.
Result<ReportSettings> settings_of(const Arguments& arguments) {
  ReportSettings out = TRY(planned_reports());
  if (const auto field = arguments.value("--field"); field.has_value()) out.field = *field;
  return out;
}

// The whole report runs by one clock: that of --timezone, or of --tz, or of vestige.toml, or UTC.
Result<TimeZone> clock_of(const Arguments& arguments, const ReportSettings& settings) {
  const std::string usual = settings.time_zone.empty() ? "UTC" : settings.time_zone;
  const std::string named =
      arguments.value("--timezone").value_or(arguments.value("--tz").value_or(usual));
  auto zone = TRY(TimeZone::named(named));
  TRY(set_local_zone(named));
  return zone;
}

Result<void> choose_period(const Arguments& arguments, const TimeZone& zone, Selection& selection) {
  const auto period = arguments.value("--period");
  if (period.has_value() && (arguments.has("--since") || arguments.has("--until")))
    return hinted(fail(Fault::invalid, "report: --period and --since or --until"),
                  "keep one of them: a period has both ends");
  if (period.has_value()) {
    const auto [since, until] = TRY(read_period(*period, zone));
    selection.since = since;
    selection.until = until;
    return {};
  }
  selection.since = TRY(arguments.time("--since"));
  selection.until = TRY(arguments.time("--until"));
  return {};
}

// Who signs the report knows his own public key: where he signed the checkpoint, too, it checks that.
Result<void> trust_oneself(Database& db, const merkle::NoteSigner& signer, Trust& trust) {
  const auto last = TRY(EvidenceStore(db).last_checkpoint());
  if (!last.has_value()) return {};
  const auto opened = merkle::open_appended(last->note, {});
  if (!opened.has_value()) return {};
  const merkle::NoteKey& key = signer.key();
  const auto& signatures = opened->note.signatures;
  if (std::any_of(signatures.begin(), signatures.end(), [&](const merkle::NoteSignature& one) {
        return one.name == key.name && one.id == key.id();
      }))
    trust.keys.push_back(key);
  return {};
}

// True where something in the report asks for somebody to look.
bool stands_out(Report& report) {
  for (std::size_t i = 0; i < report.sections(); ++i)
    if (report.section(i).bad) return true;
  return false;
}

// What the report of vestige.toml says, and --query: all of it holds.
Result<Filter> filter_of(const Arguments& arguments, const ReportSettings& settings) {
  Filter all = TRY(read_filters(arguments));
  const auto own = settings.own.find(arguments.words().front());
  if (own == settings.own.end()) return all;
  Filter filter = TRY(parse_filter(own->second.filter, Now(clock_now(), Zone::local)));
  for (Condition& condition : all.conditions) filter.conditions.push_back(std::move(condition));
  return filter;
}

Result<ReportRequest> request_of(Session& session, Database& db, ReportSettings settings,
                                 TimeZone zone, const merkle::NoteSigner* signer) {
  const Arguments& arguments = session.arguments();
  LogRequest asked;
  asked.filter.filter = TRY(filter_of(arguments, settings));
  TRY(choose_period(arguments, zone, asked.filter));
  ReportRequest request{.selection = TRY(select(db, asked)),
                        .filter = to_text(asked.filter.filter),
                        .zone = std::move(zone)};
  if (asks_signed(asked.filter.filter)) request.selection.judge = TRY(planned_judge(db));
  request.settings = std::move(settings);
  request.words = arguments.words_from(1);
  if (const auto subject = arguments.value("--subject"); subject.has_value()) {
    const std::size_t slash = subject->find('/');
    request.subject = TRY(reported_table(db, subject->substr(0, slash)));
    if (slash != std::string::npos) request.subject_key = {subject->substr(slash + 1)};
  }
  request.dpo = arguments.has("--dpo");
  request.with_staff = arguments.has("--with-staff");
  request.sample = TRY(arguments.number("--sample")).value_or(0);
  request.seed = arguments.value("--seed").value_or("1");
  request.step = [&session] { session.step(); };
  if (!arguments.has("--no-verify") && TRY(has_evidence(db))) {
    Trust trust = TRY(planned_trust());
    for (merkle::NoteKey& key : TRY(keys_of(arguments, "--vkey")))
      trust.keys.push_back(std::move(key));
    if (signer != nullptr) TRY(trust_oneself(db, *signer, trust));
    request.verified = TRY(verified_for_report(db, trust, request.step, TRY(session.archive())));
  }
  return request;
}

Result<void> write_form(Output& output, Report& report, ReportForm form,
                        const merkle::NoteSigner* signer) {
  OutputSink out(output);
  CountingSink counting(out);
  TRY(form == ReportForm::html ? write_html(report, counting) : write_json(report, counting));
  return write_report_end(counting, form, signer);
}

Result<void> print(Session& session, Report& report, const merkle::NoteSigner* signer) {
  const std::string format = session.arguments().text("--format");
  if (format == "html") return write_form(session.output(), report, ReportForm::html, signer);
  if (format == "json") return write_form(session.output(), report, ReportForm::json, signer);
  if (format.ends_with("csv"))
    return print_report_csv(session.output(), report, session.arguments().text("--section"));
  session.output().long_text();
  return print_report(session.output(), report);
}

Result<int> run_report(Session& session) {
  const Arguments& arguments = session.arguments();
  const std::string name = arguments.words().empty() ? "" : arguments.words().front();
  ReportSettings settings = TRY(settings_of(arguments));
  const ReportKind* kind = TRY(report_called(name, settings));
  if (arguments.words().size() > 1 && (kind == nullptr || !kind->takes_words))
    return fail(Fault::invalid, "report {}: nothing comes behind its name, and there is {}", name,
                arguments.words()[1]);
  TimeZone zone = TRY(clock_of(arguments, settings));
  const std::string format = arguments.text("--format");
  std::optional<merkle::NoteSigner> signer;
  if (const auto key = arguments.value("--key"); key.has_value()) {
    if (format != "html" && format != "json")
      return hinted(fail(Fault::invalid, "report: only HTML and JSON have a place for a signature"),
                    "add --format html");
    signer = TRY(signer_from(*key, merkle::KeyKind::log));
  }
  Database& db = *TRY(session.database());
  Report report(zone);
  report.head.title = arguments.text("--title");
  report.head.made_at = clock_now();
  report.head.made_by = arguments.value("--by").value_or(login());
  report.head.version = VESTIGE_VERSION;
  const merkle::NoteSigner* signs = signer.has_value() ? &*signer : nullptr;
  const ReportRequest request =
      TRY(request_of(session, db, std::move(settings), std::move(zone), signs));
  TRY(kind == nullptr ? make_own_report(name, db, request, report)
                      : make_report(*kind, db, request, report));
  session.finish();
  std::optional<OutFile> file;
  if (const auto path = arguments.value("--out"); path.has_value()) {
    file.emplace(TRY(OutFile::make(*path)));
    session.output().into(file->descriptor());
  }
  TRY(print(session, report, signs));
  TRY(session.output().finish());
  if (file.has_value()) TRY(file->keep());
  if (!report.head.sound) session.say("the trail is not sound: vestige verify says why");
  const bool strict = arguments.has("--strict") && stands_out(report);
  if (strict && report.head.sound)
    session.say("the report has something that somebody has to look at");
  return report.head.sound && !strict ? kDone : kNo;
}

std::string list_of_reports() {
  std::string out = "The reports: ";
  for (const ReportKind& kind : reports())
    out += fmt::format("{}{}: {}", out.size() > 13 ? "; " : "", kind.name, kind.summary);
  return out + ".";
}

}  // namespace

Command report_command() {
  return {
      .name = "report",
      .group = "prove",
      .summary = "a report for auditors, with the checkpoint that it stands on",
      .arguments = "NAME [TABLE KEY… [COLUMN]]",
      .least = 0,
      .most = kAny,
      .about =
          {list_of_reports(),
           "A report is about what the trail's last checkpoint covers; what is not sealed yet is "
           "counted and left out, and where nothing is signed the report says so. Before it is "
           "made the trail is verified: when something is missing or other than it was sealed, "
           "the report says so, and the exit code is 1. With --strict it is also 1 where the "
           "report "
           "itself found something: flags or a broken continuity of daily, an open alert of "
           "review.",
           "HTML is one file that needs no script and no network; a browser prints it. It has the "
           "rows as JSON in it, too. With --key the report carries a signed note over all its "
           "bytes: vestige check FILE --vkey KEY verifies it without the database "
           "(docs/reports.md)."},
      .options = {{.names = "-q, --query",
                   .value = "FILTER",
                   .summary = "only changes that a filter describes (docs/filter.md)",
                   .repeated = true},
                  {.names = "--period",
                   .value = "PERIOD",
                   .summary = "a year, quarter, month or day: 2026, 2026Q3, 2026-11, 2026-11-28"},
                  {.names = "--since", .value = "TIME", .summary = "changes at or after a time"},
                  {.names = "--until", .value = "TIME", .summary = "changes before a time"},
                  {.names = "--timezone",
                   .value = "ZONE",
                   .summary = "by whose clock: Europe/Berlin; otherwise that of --tz, or UTC"},
                  {.names = "--format",
                   .value = "FORMAT",
                   .summary = "text (the default), html, json, or csv: one section; raw-csv leaves "
                              "cells as they are that a spreadsheet may take for formulas",
                   .choices = {"text", "html", "json", "csv", "raw-csv"}},
                  {.names = "--section",
                   .value = "NAME",
                   .summary = "with csv: which section; otherwise the first"},
                  {.names = "--out",
                   .value = "FILE",
                   .summary = "write a file, which only its owner may read, instead of stdout"},
                  {.names = "--key", .value = "FILE", .summary = "sign the report with this key"},
                  {.names = "--vkey",
                   .value = "KEY",
                   .summary =
                       "a public key, or a file of them: the log's, to check its checkpoint; "
                       "beside those of vestige.toml",
                   .repeated = true},
                  {.names = "--no-verify",
                   .value = "",
                   .summary = "do not verify the trail first; the report says so"},
                  {.names = "--strict",
                   .value = "",
                   .summary = "end with 1 where the report found what somebody has to look at"},
                  {.names = "--field",
                   .value = "TABLE.COLUMN",
                   .summary = "daily: the field of numbers; otherwise that of vestige.toml"},
                  {.names = "--subject",
                   .value = "TABLE/KEY",
                   .summary = "disclosures, subject: of this table, or of this row of it"},
                  {.names = "--dpo",
                   .value = "",
                   .summary = "disclosures, subject: also those that are not to be told of yet"},
                  {.names = "--with-staff",
                   .value = "",
                   .summary = "subject: who did it by name, where it is owed, or for oneself"},
                  {.names = "--sample",
                   .value = "N",
                   .summary = "changes: N of them, chosen by --seed, always the same"},
                  {.names = "--seed", .value = "TEXT", .summary = "of --sample; otherwise 1"},
                  {.names = "--title", .value = "TEXT", .summary = "its title"},
                  {.names = "--by",
                   .value = "NAME",
                   .summary = "who made it; otherwise the user of this system"}},
      .examples =
          {{"vestige report changes --period 2026Q3 --format html --out q3.html --key audit.key",
            "what changed in a quarter, signed"},
           {"vestige report changes -q class:phi --since 30d --sample 25 --seed 2026-11",
            "a sample that anybody can draw again"}},
      .run = run_report};
}

}  // namespace vestige::cli
