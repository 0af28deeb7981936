// doctor: what is out of order, and repairs.
#include <algorithm>

#include "cli/session.h"
#include "vestige/audit/doctor.h"

namespace vestige::cli {
namespace {

void print_csv(Output& output, const Finding& one) {
  const auto optional = [](const std::string& text) { return text.empty() ? "" : csv_text(text); };
  output.csv({std::string(name(one.severity)), one.code, optional(one.table), csv_text(one.message),
              optional(one.remedy), one.fixable ? "true" : "false", one.fixed ? "true" : "false"});
}

void print_text(Output& output, const Finding& one) {
  const Label label = one.fixed                           ? Label::good
                      : one.severity == Severity::error   ? Label::bad
                      : one.severity == Severity::warning ? Label::warning
                                                          : Label::faint;
  const std::string word = one.fixed ? "fixed" : std::string(name(one.severity));
  output.line({{label, word + ": "},
               {Label::name, one.table.empty() ? "" : one.table + ": "},
               {Label::plain, one.message}});
  if (one.remedy.empty()) return;
  output.line({{Label::faint, "  → " + one.remedy}});
}

bool stands(const Finding& one, Severity severity) {
  return !one.fixed && one.severity == severity;
}

Result<int> run_doctor(Session& session) {
  Database& db = *TRY(session.database());
  const auto findings = TRY(doctor(db, session.arguments().has("--fix")));
  Output& output = session.output();
  if (output.format() == Format::csv)
    output.csv({"severity", "code", "table", "message", "remedy", "fixable", "fixed"});
  for (const Finding& one : findings) {
    switch (output.format()) {
      case Format::json: output.json(to_json(one)); break;
      case Format::csv: print_csv(output, one); break;
      case Format::table: print_text(output, one); break;
    }
  }
  const auto count = [&](Severity severity) {
    return std::count_if(findings.begin(), findings.end(),
                         [&](const Finding& one) { return stands(one, severity); });
  };
  const auto errors = count(Severity::error);
  const auto warnings = count(Severity::warning);
  if (errors == 0 && warnings == 0) session.say("all is well with the trail in " + db.where());
  else session.say(counted(errors, "error") + ", " + counted(warnings, "warning"));
  return errors + warnings == 0 ? kDone : kNo;
}

}  // namespace

Command doctor_command() {
  return {
      .name = "doctor",
      .group = "set up",
      .summary = "find what is out of order, and repair what is safe",
      .about = {"Looks for triggers that are missing or altered (a migration that rebuilds a table "
                "drops them without a word), tables that are gone or were renamed, columns that "
                "the record does not know, contexts that somebody forgot to clear, settings that "
                "risk the record. Exit 1 when anything but notes remains.",
                "--fix repairs what is safe, in one transaction; it never touches the history."},
      .options = {{.names = "--fix", .value = "", .summary = "repair what is safe"},
                  format_option()},
      .examples = {{"vestige doctor", "is everything recorded that should be?"},
                   {"vestige doctor --fix", "repair"}},
      .run = run_doctor};
}

}  // namespace vestige::cli
