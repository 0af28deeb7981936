#include "cli/report_names.h"

#include <filesystem>

#include "cli/plan_file.h"
#include "vestige/audit/plan.h"
#include "vestige/base/nearest.h"

namespace vestige::cli {

Result<ReportSettings> planned_reports() {
  const std::string plan = plan_file();
  if (!std::filesystem::exists(plan)) return ReportSettings();
  return TRY(read_plan(plan)).report;
}

Result<const ReportKind*> report_called(const std::string& name, const ReportSettings& settings) {
  if (settings.own.contains(name)) return nullptr;
  if (const ReportKind* kind = find_report(name); kind != nullptr) return kind;
  std::vector<std::string> names;
  for (const ReportKind& kind : reports()) names.emplace_back(kind.name);
  for (const auto& [own, report] : settings.own) names.push_back(own);
  const std::string near = name.empty() ? "" : nearest(name, names);
  const std::string hint = near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                        : "did you mean " + near + "?";
  if (name.empty()) return hinted(fail(Fault::invalid, "report: which one?"), hint);
  return hinted(fail(Fault::invalid, "report: there is none that is called {}", name), hint);
}

}  // namespace vestige::cli
