#include "cli/signers.h"

#include <algorithm>
#include <filesystem>

#include "cli/plan_file.h"
#include "vestige/audit/plan.h"
#include "vestige/base/toml_file.h"
#include "vestige/privacy/signature_judge.h"
#include "vestige/privacy/signers_file.h"

namespace vestige::cli {

Result<std::optional<ContextSigners>> planned_signers(const std::optional<std::string>& file) {
  const std::string path = file.value_or(plan_file());
  std::error_code ignored;
  if (!file.has_value() && !std::filesystem::exists(path, ignored))
    return std::optional<ContextSigners>();
  auto signers = TRY(read_context_signers(TRY(read_toml(path))));
  if (!signers.has_value()) return signers;
  const Plan plan = TRY(read_plan(path));
  if (signers->origin.empty() && plan.evidence.has_value() && !plan.evidence->trust.keys.empty())
    signers->origin = plan.evidence->trust.keys.front().name;
  if (signers->origin.empty())
    return hinted(
        fail(Fault::invalid, "read {}: [context] names no origin, and [evidence] no key", path),
        "origin = \"audit.example.com/shop\", as the applications have it that sign");
  for (const auto& [table, policy] : plan.tables)
    if (std::find(policy.require.begin(), policy.require.end(), kSignatureField) !=
        policy.require.end())
      signers->tables.push_back(table);
  return signers;
}

Result<std::shared_ptr<SignatureJudge>> planned_judge(Database& db,
                                                      const std::optional<std::string>& file) {
  auto signers = TRY(planned_signers(file));
  if (!signers.has_value()) return std::shared_ptr<SignatureJudge>();
  return signature_judge(db, *std::move(signers));
}

}  // namespace vestige::cli
