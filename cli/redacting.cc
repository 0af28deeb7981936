#include "cli/redacting.h"

#include "vestige/audit/erase.h"
#include "vestige/record/cleared.h"
#include "vestige/trail/spelling.h"

namespace vestige::cli {

// A column that was redacted or encrypted is recorded in clear only where that is asked for by its name: a list that forgets one asks for nothing.
Result<void> leave_redacted(Database& db, const std::string& name, const Policy& before,
                            const Arguments& arguments, Policy& policy) {
  const bool any_case = spelling_of(db).any_case;
  const auto in_clear = TRY(arguments.list("--unredact"));
  std::erase_if(policy.redact, [&](const std::string& column) {
    return names_column(in_clear, column, any_case);
  });
  std::erase_if(policy.encrypt,
                [&](const auto& one) { return names_column(in_clear, one.first, any_case); });
  std::vector<std::string> lost = cleared(before, policy, any_case);
  std::erase_if(
      lost, [&](const std::string& column) { return names_column(in_clear, column, any_case); });
  if (lost.empty()) return {};
  auto redact = policy.redact;
  auto encrypt = policy.encrypt;
  for (const std::string& column : lost)
    if (const auto of = before.encrypt.find(column); of != before.encrypt.end())
      encrypt.insert(*of);
    else redact.push_back(column);
  std::string keeps;
  if (redact.size() > policy.redact.size())
    keeps = fmt::format("--redact {} keeps it redacted; ", fmt::join(redact, ","));
  if (encrypt.size() > policy.encrypt.size()) {
    std::vector<std::string> pairs;
    for (const auto& [column, of] : encrypt) pairs.push_back(column + "=" + of);
    keeps += fmt::format("--encrypt {} keeps it encrypted; ", fmt::join(pairs, ","));
  }
  return hinted(
      fail(Fault::invalid, "track {}: {} would be recorded in clear from now on", name,
           fmt::format("{}", fmt::join(lost, ", "))),
      fmt::format("{}--unredact {} has it recorded in clear", keeps, fmt::join(lost, ",")));
}

// Values of a column that is redacted or encrypted from now on stand in the trail as they were recorded.
Result<void> tell_of_clear(Session& session, Database& db, const std::string& name,
                           const std::vector<std::string>& columns) {
  constexpr std::int64_t kEnough = 1000;
  for (const std::string& column : columns) {
    const std::int64_t count = TRY(holding(db, name, column, kEnough));
    if (count == 0) continue;
    session.say(fmt::format(
        "note: {} of {} from before still {} {} in clear",
        count < kEnough ? counted(count, "change") : grouped(kEnough) + " changes or more", name,
        count == 1 ? "has" : "have", column));
    session.say(fmt::format("  → vestige erase {} --column {} --reason TEXT", name, column));
  }
  return {};
}

}  // namespace vestige::cli
