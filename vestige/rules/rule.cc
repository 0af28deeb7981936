#include "vestige/rules/rule.h"

#include "vestige/base/bytes.h"
#include "vestige/base/crypto.h"
#include "vestige/record/value.h"

namespace vestige {

std::string_view name(RuleKind kind) { return kRuleKinds.at(static_cast<std::size_t>(kind)); }

bool asks_signed(const Rule& rule) {
  return rule.kind == RuleKind::not_signed || asks_signed(rule.filter);
}

// A list of texts has one spelling, so that no two rules are told apart by nothing or taken for one.
std::string hash_of(const Rule& rule) {
  const std::vector<std::string> parts = {"1",
                                          rule.id,
                                          std::string(name(rule.kind)),
                                          rule.select,
                                          rule.when,
                                          list_json(rule.group_by),
                                          std::to_string(rule.realert),
                                          std::to_string(rule.count),
                                          std::to_string(rule.within),
                                          rule.value,
                                          rule.above,
                                          list_json(rule.of),
                                          list_json(rule.by),
                                          std::to_string(rule.learn),
                                          std::to_string(rule.rows),
                                          rule.field,
                                          rule.hours,
                                          list_json(rule.holidays),
                                          list_json(rule.require),
                                          list_json(rule.what),
                                          rule.zone};
  return to_hex(view(sha256(list_json(parts)))).substr(0, 32);
}

}  // namespace vestige
