// What verify says, as JSON (docs/json.md).
#include "vestige/audit/verify.h"
#include "vestige/record/value.h"

namespace vestige {

std::string to_json(const Discrepancy& one) {
  std::string parts;
  for (const std::string& part : one.parts) parts += (parts.empty() ? "" : ",") + text_json(part);
  return fmt::format(R"({{"code":"{}","change":{},"table":{},"parts":[{}],"message":{}}})",
                     one.code, one.change.has_value() ? std::to_string(*one.change) : "null",
                     one.table.empty() ? "null" : text_json(one.table), parts,
                     text_json(one.message));
}

std::string to_json(const Verdict& verdict) {
  const auto listed = [](const auto& texts) {
    std::string out;
    for (const std::string& text : texts) out += (out.empty() ? "" : ",") + text_json(text);
    return out;
  };
  std::vector<std::string> uncompared;
  for (const auto& [table, why] : verdict.uncompared) uncompared.push_back(table);
  std::string erasures;
  for (const Erasure& one : verdict.erasures)
    erasures += fmt::format(R"({}{{"change":{},"changes":{},"actor":{},"reason":{},"sealed":{}}})",
                            erasures.empty() ? "" : ",", one.change, one.erased,
                            text_json(one.actor), text_json(one.reason), one.sealed);
  std::string expiries;
  for (const Expired& one : verdict.expiries)
    expiries += fmt::format(
        R"({}{{"change":{},"changes":{},"class":{},"keep":{},"archive":{},"sealed":{}}})",
        expiries.empty() ? "" : ",", one.change, one.changes, text_json(one.retention),
        text_json(one.keep), one.archive.empty() ? "null" : text_json(one.archive), one.sealed);
  std::string contexts;
  for (const auto& [word, count] : verdict.contexts)
    contexts += fmt::format(R"({}"{}":{})", contexts.empty() ? "" : ",", word, count);
  if (!contexts.empty())
    contexts = fmt::format(R"(,"contexts":{{{}}},"not_signed":{})", contexts, verdict.not_signed);
  return fmt::format(
      R"({{"code":"verdict","origin":{},"size":{},"signature":{},"witnesses":[{}],"verified":{},"erased":{},)"
      R"("unsigned":{},"unsealed":{},"unreadable":{},"early":{},"discrepancies":{},"passed_over":[{}],"kept":[{}],"uncompared":[{}],"erasures":[{}],"expired":{},"expiries":[{}],"parts":{},"archived":{}{}}})",
      verdict.origin.empty() ? "null" : text_json(verdict.origin), verdict.size,
      verdict.signature ? "true" : "false", listed(verdict.witnesses), verdict.verified,
      verdict.erased, verdict.unsigned_entries, verdict.unsealed, verdict.unreadable, verdict.early,
      verdict.discrepancies, listed(verdict.passed_over), listed(verdict.kept), listed(uncompared),
      erasures, verdict.expired, expiries, verdict.parts, verdict.archived, contexts);
}

}  // namespace vestige
