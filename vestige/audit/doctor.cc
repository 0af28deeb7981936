#include "vestige/audit/doctor.h"

#include <algorithm>
#include <utility>

#include "vestige/audit/patient.h"
#include "vestige/audit/postgres_doctor.h"
#include "vestige/audit/standing.h"
#include "vestige/audit/trail_objects.h"
#include "vestige/base/time.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/install.h"
#include "vestige/trail/sqlite/installation.h"
#include "vestige/trail/sqlite/row_index.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

class Doctor {
 public:
  explicit Doctor(Database& db) : db_(db) {}

  Result<void> examine();
  Result<void> fix();
  std::vector<Finding> take();

 private:
  void add(Severity severity, std::string code, std::string message, std::string remedy,
           bool fixable) {
    findings_.push_back(
        {severity, std::move(code), "", std::move(message), std::move(remedy), fixable});
  }
  Result<void> examine_trail();
  Result<void> examine_context();
  Result<void> examine_settings();
  Result<void> examine_index();
  Result<void> examine_clock();
  Result<void> examine_evidence();

  Database& db_;
  std::vector<Finding> findings_;
  std::vector<Patient> patients_;
  bool readable_ = true;
  bool runs_written_ = true;  // the trigger that writes the runs of vestige_key stands
};

Result<void> Doctor::examine_evidence() {
  if (!require_sealing(db_).has_value()) return {};  // an older trail counts none
  const std::int64_t count = TRY(scalar_integer(db_, "select unreadable from vestige_sealer"));
  if (count > 0)
    add(Severity::warning, "unreadable",
        fmt::format(
            "{} changes could not be read, or in part, when they were sealed: those parts are"
            " sealed as null",
            count),
        "vestige verify names them; find out who wrote to the trail, or which part of the disk is "
        "bad",
        false);
  return {};
}

Result<void> Doctor::examine() {
  const std::int64_t version = TRY(installed_version(db_));
  if (version == 0) return require_trail(db_);
  if (version != kSchemaVersion) {
    readable_ = false;
    add(Severity::error, "schema-version",
        fmt::format("the trail has version {}, this vestige knows {}", version, kSchemaVersion),
        version > kSchemaVersion ? "use the vestige that installed it, or a newer one"
                                 : "vestige init",
        false);
    return {};
  }
  if (!TRY(sqlite::captures_shared(db_))) {
    readable_ = false;
    add(Severity::error, "schema-version",
        "the trail is older than this vestige: it records changes, but in a dearer way",
        "vestige init", false);
    return {};
  }
  TRY(examine_trail());
  if (!readable_) return {};
  for (Tracked& table : TRY(tracked_tables(db_)))
    if (!table.untracked_at.has_value())
      patients_.push_back(TRY(Patient::examine(db_, std::move(table))));
  TRY(examine_context());
  TRY(examine_settings());
  TRY(examine_clock());
  TRY(examine_evidence());
  return examine_index();
}

// The trail's own tables, views and guards, against those of a new trail.
Result<void> Doctor::examine_trail() {
  for (const TrailObject& object : TRY(altered_trail_objects(db_))) {
    const bool fixable = object.type != "table";
    runs_written_ = runs_written_ && object.name != "vestige_change_run";
    readable_ = readable_ && fixable;
    const char* state = object.missing ? "is missing" : "is not as vestige made it";
    add(Severity::error, "trail-altered",
        fixable ? fmt::format("the trail's {} {} {}: what it guards may have been changed",
                              object.type, object.name, state)
                : fmt::format("the trail's table {} {}", object.name, state),
        fixable ? kDoctorFix : "restore the database from a backup", fixable);
  }
  return {};
}

Result<void> Doctor::examine_context() {
  auto rows = TRY(
      db_.query("select c.actor, u.expires from vestige_current as u left join vestige_context as c"
                " on c.id = u.context"));
  if (TRY(rows->next()) == Step::end) return {};
  const std::string actor = rows->is_null(0) ? "nobody named" : rows->text(0);
  const std::int64_t expires = rows->integer(1);
  const std::int64_t now = clock_now() / 1000;
  if (expires <= now) {
    add(Severity::warning, "context-left",
        fmt::format("a context was never cleared (actor: {}); it has expired and does no harm",
                    actor),
        kDoctorFix, true);
  } else {
    const bool always = expires - now > 100LL * 365 * 24 * 3600 * 1000;
    add(Severity::error, "context-left",
        fmt::format(
            "a context was never cleared (actor: {}); changes of others may be recorded as theirs"
            " until {}",
            actor, always ? "it is cleared" : format_time(expires * 1000)),
        kDoctorFix, true);
  }
  return {};
}

Result<void> Doctor::examine_settings() {
  const Value file = TRY(scalar(db_, "select file from pragma_database_list where name = 'main'"));
  const auto* path = std::get_if<Text>(&file);
  if (path == nullptr || path->bytes.empty()) return {};  // in memory: nothing to lose
  const Value read = TRY(scalar(db_, "pragma journal_mode"));
  const std::string mode = std::holds_alternative<Text>(read) ? std::get<Text>(read).bytes : "";
  if (mode == "off" || mode == "memory")
    add(Severity::warning, "journal",
        fmt::format("journal_mode is {}: a crash in the middle of a write can destroy the database",
                    mode),
        "pragma journal_mode = wal", false);
  else if (mode != "wal")
    add(Severity::note, "journal",
        fmt::format(
            "journal_mode is {}; with wal, readers and the writer do not wait for each other",
            mode),
        "", false);
  if (TRY(scalar_integer(db_, "pragma synchronous")) == 0)
    add(Severity::warning, "synchronous",
        "synchronous is off on this connection: a power cut can take changes and trail together",
        "pragma synchronous = normal (wal) or full, on every connection", false);
  return {};
}

Result<void> Doctor::examine_clock() {
  auto rows =
      TRY(db_.query("select count(*), max(id) from vestige_change where backward is not null"));
  TRY(rows->next());
  if (rows->integer(0) > 0)
    add(Severity::note, "clock-backward",
        fmt::format(
            "the clock ran backwards {} times, last at change {}; the order of changes is that of"
            " their ids",
            rows->integer(0), rows->integer(1)),
        "", false);
  return {};
}

Result<void> Doctor::examine_index() {
  constexpr std::int64_t kMany = 200;
  const std::int64_t runs = TRY(loose_runs(db_));
  if (runs >= kMany)
    add(Severity::note, "row-index",
        fmt::format(
            "finding the changes of one row searches {} sorted runs; merged, it is one search",
            runs),
        "vestige doctor --fix", true);
  return {};
}

Result<void> Doctor::fix() {
  if (!readable_) return {};
  TRY(runs_written_ ? merge_runs(db_) : rebuild_runs(db_));
  TRY(restore_trail_objects(db_));
  // Two tables may have swapped their names: none of the old ones may stand in the way.
  for (const Patient& patient : patients_) TRY(patient.free_name(db_));
  for (Patient& patient : patients_) TRY(patient.mend(db_));
  TRY(db_.run("delete from vestige_current"));
  for (Finding& finding : findings_) {
    if (finding.code != "trail-altered" && finding.code != "context-left" &&
        finding.code != "row-index")
      continue;
    finding.fixed = true;
    finding.remedy = "";
  }
  return {};
}

std::vector<Finding> Doctor::take() {
  for (const Patient& patient : patients_)
    findings_.insert(findings_.end(), patient.findings().begin(), patient.findings().end());
  std::stable_sort(
      findings_.begin(), findings_.end(),
      [](const Finding& left, const Finding& right) { return left.severity > right.severity; });
  return std::move(findings_);
}

}  // namespace

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::note: return "note";
    case Severity::warning: return "warning";
    default: return "error";
  }
}

Result<std::vector<Finding>> doctor(Database& db, bool fix) {
  if (db.engine() == Engine::postgres && TRY(installed_version(db)) == kSchemaVersion)
    return doctor_on_postgres(db, fix);
  Doctor doctor(db);
  if (!fix) {
    TRY(doctor.examine());
    return doctor.take();
  }
  auto transaction = TRY(Transaction::begin(db));
  TRY(doctor.examine());
  TRY(doctor.fix());
  TRY(transaction.commit());
  return doctor.take();
}

}  // namespace vestige
