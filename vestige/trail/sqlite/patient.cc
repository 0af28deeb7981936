#include "vestige/trail/sqlite/patient.h"

#include <algorithm>
#include <utility>

#include "vestige/trail/sqlite/fit.h"

namespace vestige::sqlite {
namespace {

// What is lost for good, for the shape's note; empty when capture never stopped.
std::string gap(const Standing& standing) {
  if (!standing.missing.empty())
    return "triggers were missing: changes before this may not be in the trail";
  if (!standing.hiding.empty())
    return fmt::format("RAISE(IGNORE) in {}: changes before this may not be in the trail",
                       fmt::join(standing.hiding, ", "));
  if (!standing.added.empty())
    return fmt::format("recorded from here on: {}", fmt::join(standing.added, ", "));
  if (!standing.altered.empty())
    return "triggers were altered: changes before this may not be in the trail";
  return "";
}

}  // namespace

void Patient::add(Severity severity, std::string code, std::string message, std::string remedy) {
  findings_.push_back(
      {severity, std::move(code), table_.name, std::move(message), std::move(remedy), safe_});
}

Result<Patient> Patient::examine(Database& db, Tracked table) {
  Patient patient(std::move(table));
  patient.standing_ = TRY(standing(db, patient.table_));
  const Standing& standing = patient.standing_;
  const std::string& name = patient.table_.name;
  if (standing.live.empty()) {
    patient.safe_ = false;
    patient.add(
        Severity::error, "table-missing",
        fmt::format("table {} is gone; its history stays readable", name),
        fmt::format("vestige untrack {}; vestige track its successor, if it has one", name));
  } else if (standing.replaced) {
    patient.safe_ = false;
    patient.add(
        Severity::error, "table-renamed",
        fmt::format(
            "table {0} was renamed to {1}, and another table took its name; capture goes on in {1}",
            name, standing.live),
        fmt::format("vestige track {0} goes on with the new {0}", name));
  } else {
    // Triggers say nothing about excluded columns: one that was renamed looks new.
    patient.safe_ = standing.lost.empty() || standing.added.empty();
    if (standing.live != name)
      patient.add(
          Severity::error, "table-renamed",
          fmt::format("table {} was renamed to {}; its changes are recorded under the former name",
                      name, standing.live));
    if (!standing.missing.empty())
      patient.add(
          Severity::error, "triggers-missing",
          fmt::format(
              "{} of its capture triggers are missing: {}; changes since they went are not in the"
              " trail",
              standing.missing.size(), fmt::join(standing.missing, ", ")));
    if (!standing.altered.empty())
      patient.add(
          Severity::error, "triggers-altered",
          fmt::format(
              "capture triggers are not as they should be: {}; they were edited, or a unique index"
              " came or went, and rows that a REPLACE removed may not be in the trail",
              fmt::join(standing.altered, ", ")));
    if (!standing.hiding.empty())
      patient.add(Severity::error, "triggers-hide",
                  fmt::format("triggers of the application that are newer than capture's end with "
                              "RAISE(IGNORE): {};"
                              " changes of rows where they did are not in the trail",
                              fmt::join(standing.hiding, ", ")));
    if (!standing.newer.empty())
      patient.add(
          Severity::warning, "triggers-newer",
          fmt::format(
              "triggers of the application are newer than capture's and fire before it: {}; what"
              " they do to the row that fired them may be recorded in another order",
              fmt::join(standing.newer, ", ")));
    patient.examine_columns();
  }
  return patient;
}

void Patient::examine_columns() {
  const auto& redact = table_.policy.redact;
  const std::string lost = standing_.lost.empty() ? "" : standing_.lost.front();
  const bool hidden = std::find(redact.begin(), redact.end(), lost) != redact.end();
  const bool encrypted = table_.policy.encrypt.contains(lost);
  for (const Renamed& pair : standing_.renamed)
    add(Severity::error, "column-renamed",
        fmt::format("column {} was renamed to {}; it is recorded under the former name", pair.from,
                    pair.to));
  for (const std::string& column : standing_.added) {
    if (safe_)
      add(Severity::error, "column-added",
          fmt::format("column {} is new and not recorded; its changes so far are not in the trail",
                      column));
    else
      add(Severity::error, "column-added",
          fmt::format("column {} is new, and the {} column {} is gone: it may be the same one",
                      column,
                      hidden      ? "redacted"
                      : encrypted ? "encrypted"
                                  : "excluded",
                      lost),
          fmt::format("vestige track {} again, with the --{} that is meant", table_.name,
                      hidden      ? "redact"
                      : encrypted ? "encrypt"
                                  : "exclude"));
  }
  for (const std::string& column : standing_.dropped)
    add(Severity::warning, "column-dropped",
        fmt::format("recorded column {} is gone; its history stays readable", column));
  if (standing_.subject_lost && standing_.renamed.empty())
    add(Severity::error, "subject-gone",
        fmt::format("column {} says whose a row is, and is gone: what is encrypted is nobody's",
                    table_.policy.subject),
        fmt::format("vestige track {} --subject COLUMN", table_.name));
  if (standing_.key_changed)
    add(Severity::warning, "key-changed",
        "the primary key is another one; changes so far are kept under the former key");
}

Result<void> Patient::free_name(Database& db) const {
  if (renamed())
    TRY(db.run("update vestige_table set name = ?2 where id = ?1",
               {table_.id, Text{fmt::format("renamed {}", table_.id)}}));
  return {};
}

Result<void> Patient::refit_now(Database& db) {
  const Tracked fitted = TRY(refit(db, table_, standing_.live, standing_.renamed, gap(standing_)));
  const bool fixed = TRY(standing(db, fitted)).trouble().empty();
  for (Finding& finding : findings_) {
    finding.fixed = fixed;
    finding.remedy =
        gap(standing_).empty()
            ? ""
            : fmt::format("vestige track {} --baseline records the rows as they are now",
                          fitted.name);
  }
  return {};
}

Result<void> Patient::mend(Database& db) {
  if (findings_.empty() || !safe_) return {};
  // One that cannot be mended must not keep the others from it.
  TRY(db.script("savepoint vestige_doctor"));
  const auto mended = refit_now(db);
  if (!mended.has_value()) {
    TRY(db.script("rollback to vestige_doctor"));
    TRY(db.run("update vestige_table set name = ?2 where id = ?1", {table_.id, Text{table_.name}}));
    for (Finding& finding : findings_) {
      finding.fixed = false;
      finding.remedy = fmt::format("it could not be repaired: {}", mended.error().message);
    }
  }
  return db.script("release vestige_doctor");
}

}  // namespace vestige::sqlite
