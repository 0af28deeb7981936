#include "vestige/audit/doctor.h"

#include <algorithm>

#include "vestige/trail/install.h"

namespace vestige {

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::note: return "note";
    case Severity::warning: return "warning";
    default: return "error";
  }
}

std::string to_json(const Finding& finding) {
  return fmt::format(
      R"({{"severity":"{}","code":"{}","table":{},"message":{},"remedy":{},"fixable":{},"fixed":{}}})",
      name(finding.severity), finding.code,
      finding.table.empty() ? "null" : text_json(finding.table), text_json(finding.message),
      finding.remedy.empty() ? "null" : text_json(finding.remedy), finding.fixable, finding.fixed);
}

Result<std::vector<Finding>> doctor(Database& db, bool fix) {
  const std::int64_t version = TRY(installed_version(db));
  if (version == 0) TRY(require_trail(db));
  if (version != kSchemaVersion)
    return std::vector<Finding>{
        {Severity::error, "schema-version", "",
         fmt::format("the trail has version {}, this vestige knows {}", version, kSchemaVersion),
         version > kSchemaVersion ? "use the vestige that installed it, or a newer one"
                                  : "vestige init"}};
  const auto upkeep = upkeep_of(db);
  auto findings = TRY(fix ? upkeep->mended() : upkeep->findings());
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& left, const Finding& right) {
    return left.severity > right.severity;
  });
  return findings;
}

}  // namespace vestige
