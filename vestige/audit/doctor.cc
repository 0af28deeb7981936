#include "vestige/audit/doctor.h"

#include <algorithm>
#include <utility>

#include "vestige/audit/standing.h"
#include "vestige/audit/trail_objects.h"
#include "vestige/base/time.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/install.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

constexpr const char* kFix = "vestige doctor --fix";

// A tracked table, how it stands, and which findings are about it.
struct Patient {
  Tracked table;
  Standing standing;
  std::vector<std::size_t> findings;
  bool safe = true;  // a refit mends it, without guessing
};

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
  void add(Patient& patient, Severity severity, std::string code, std::string message,
           std::string remedy = kFix);

  Result<void> examine_trail();
  Result<void> examine_table(Tracked table);
  void examine_columns(Patient& patient);
  Result<void> examine_context();
  Result<void> examine_settings();
  Result<void> examine_clock();

  Result<void> mend(Patient& patient);
  Result<void> mend_all();

  Database& db_;
  std::vector<Finding> findings_;
  std::vector<Patient> patients_;
  bool readable_ = true;
};

void Doctor::add(Patient& patient, Severity severity, std::string code, std::string message,
                 std::string remedy) {
  patient.findings.push_back(findings_.size());
  findings_.push_back({severity, std::move(code), patient.table.name, std::move(message),
                       std::move(remedy), patient.safe});
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
  TRY(examine_trail());
  if (!readable_) return {};
  for (Tracked& table : TRY(tracked_tables(db_)))
    if (!table.untracked_at.has_value()) TRY(examine_table(std::move(table)));
  TRY(examine_context());
  TRY(examine_settings());
  return examine_clock();
}

// The trail's own tables, views and guards, against those of a new trail.
Result<void> Doctor::examine_trail() {
  for (const TrailObject& object : TRY(altered_trail_objects(db_))) {
    const bool fixable = object.type != "table";
    readable_ = readable_ && fixable;
    const char* state = object.missing ? "is missing" : "is not as vestige made it";
    add(Severity::error, "trail-altered",
        fixable ? fmt::format("the trail's {} {} {}: what it guards may have been changed",
                              object.type, object.name, state)
                : fmt::format("the trail's table {} {}", object.name, state),
        fixable ? kFix : "restore the database from a backup", fixable);
  }
  return {};
}

Result<void> Doctor::examine_table(Tracked table) {
  Patient patient;
  patient.table = std::move(table);
  patient.standing = TRY(standing(db_, patient.table));
  const Standing& standing = patient.standing;
  const std::string& name = patient.table.name;
  if (standing.live.empty()) {
    patient.safe = false;
    add(patient, Severity::error, "table-missing",
        fmt::format("table {} is gone; its history stays readable", name),
        fmt::format("vestige untrack {}; vestige track its successor, if it has one", name));
  } else if (standing.replaced) {
    patient.safe = false;
    add(patient, Severity::error, "table-renamed",
        fmt::format(
            "table {0} was renamed to {1}, and another table took its name; capture goes on in {1}",
            name, standing.live),
        fmt::format("vestige track {0} goes on with the new {0}", name));
  } else {
    // Triggers say nothing about excluded columns: one that was renamed looks new.
    patient.safe = standing.lost.empty() || standing.added.empty();
    if (standing.live != name)
      add(patient, Severity::error, "table-renamed",
          fmt::format("table {} was renamed to {}; its changes are recorded under the former name",
                      name, standing.live));
    if (!standing.missing.empty())
      add(patient, Severity::error, "triggers-missing",
          fmt::format(
              "{} of its capture triggers are missing: {}; changes since they went are not in the"
              " trail",
              standing.missing.size(), fmt::join(standing.missing, ", ")));
    if (!standing.altered.empty())
      add(patient, Severity::error, "triggers-altered",
          fmt::format(
              "capture triggers are not as they should be: {}; they were edited, or a unique index"
              " came or went, and rows that a REPLACE removed may not be in the trail",
              fmt::join(standing.altered, ", ")));
    examine_columns(patient);
  }
  patients_.push_back(std::move(patient));
  return {};
}

void Doctor::examine_columns(Patient& patient) {
  const Standing& standing = patient.standing;
  for (const Renamed& pair : standing.renamed)
    add(patient, Severity::error, "column-renamed",
        fmt::format("column {} was renamed to {}; it is recorded under the former name", pair.from,
                    pair.to));
  for (const std::string& column : standing.added) {
    if (patient.safe)
      add(patient, Severity::error, "column-added",
          fmt::format("column {} is new and not recorded; its changes so far are not in the trail",
                      column));
    else
      add(patient, Severity::error, "column-added",
          fmt::format(
              "column {} is new, and the excluded column {} is gone: it may be the same one",
              column, standing.lost.front()),
          fmt::format("vestige track {} again, with the --exclude that is meant",
                      patient.table.name));
  }
  for (const std::string& column : standing.dropped)
    add(patient, Severity::warning, "column-dropped",
        fmt::format("recorded column {} is gone; its history stays readable", column));
  if (standing.key_changed)
    add(patient, Severity::warning, "key-changed",
        "the primary key is another one; changes so far are kept under the former key");
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
        kFix, true);
  } else {
    const bool always = expires - now > 100LL * 365 * 24 * 3600 * 1000;
    add(Severity::error, "context-left",
        fmt::format(
            "a context was never cleared (actor: {}); changes of others may be recorded as theirs"
            " until {}",
            actor, always ? "it is cleared" : format_time(expires * 1000)),
        kFix, true);
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

// What is lost for good, for the shape's note; empty when capture never stopped.
std::string gap(const Standing& standing) {
  if (!standing.missing.empty())
    return "triggers were missing: changes before this may not be in the trail";
  if (!standing.added.empty())
    return fmt::format("recorded from here on: {}", fmt::join(standing.added, ", "));
  if (!standing.altered.empty())
    return "triggers were altered: changes before this may not be in the trail";
  return "";
}

Result<void> Doctor::mend(Patient& patient) {
  Tracked table = patient.table;
  const Standing& standing = patient.standing;
  table.policy.when = renamed_condition(db_, table.policy.when, standing.renamed);
  const Tracked fitted = TRY(refit(db_, table, standing.live, standing.renamed, gap(standing)));
  const bool fixed = TRY(vestige::standing(db_, fitted)).trouble().empty();
  for (const std::size_t at : patient.findings) {
    findings_[at].fixed = fixed;
    findings_[at].remedy =
        gap(standing).empty()
            ? ""
            : fmt::format("vestige track {} --baseline records the rows as they are now",
                          fitted.name);
  }
  return {};
}

Result<void> Doctor::mend_all() {
  for (Patient& patient : patients_) {
    if (patient.findings.empty() || !patient.safe) continue;
    // One that cannot be mended must not keep the others from it.
    TRY(db_.script("savepoint vestige_doctor"));
    auto mended = mend(patient);
    if (!mended.has_value()) {
      TRY(db_.script("rollback to vestige_doctor"));
      TRY(db_.run("update vestige_table set name = ?2 where id = ?1",
                  {patient.table.id, Text{patient.table.name}}));
      for (const std::size_t at : patient.findings) {
        findings_[at].fixed = false;
        findings_[at].remedy = fmt::format("it could not be repaired: {}", mended.error().message);
      }
    }
    TRY(db_.script("release vestige_doctor"));
  }
  return {};
}

Result<void> Doctor::fix() {
  if (!readable_) return {};
  TRY(restore_trail_objects(db_));
  // Two tables may have swapped their names: none of the old ones may stand in the way.
  for (const Patient& patient : patients_)
    if (patient.safe && patient.standing.live != patient.table.name)
      TRY(db_.run("update vestige_table set name = ?2 where id = ?1",
                  {patient.table.id, Text{fmt::format("renamed {}", patient.table.id)}}));
  TRY(mend_all());
  TRY(db_.run("delete from vestige_current"));
  for (Finding& finding : findings_) {
    if (finding.code != "trail-altered" && finding.code != "context-left") continue;
    finding.fixed = true;
    finding.remedy = "";
  }
  for (const Tracked& table : TRY(tracked_tables(db_)))
    if (!table.untracked_at.has_value() && TRY(standing(db_, table)).trouble().empty())
      TRY(note_reach(db_, table));
  return {};
}

std::vector<Finding> Doctor::take() {
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
