// What the verbs about rules have in common: rules, watch, alert.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/output.h"
#include "cli/session.h"
#include "vestige/rules/rule.h"
#include "vestige/trail/judge.h"

namespace vestige::cli {

/// The rules of --file, or of the vestige.toml that holds here.
///
/// faults   invalid, missing (no file, or no rules in it)
Result<std::vector<Rule>> rules_here(const Session& session);

/// The database that --db, or the same file, names.
Result<Database*> rules_database(Session& session);

/// Who says what the signatures of contexts are worth, where one of the rules asks; otherwise nullptr.
Result<std::shared_ptr<SignatureJudge>> judge_for(const Session& session, Database& db,
                                                  const std::vector<Rule>& rules);

/// Why changes that have no place in the feed yet are not seen.
std::string said_hindrance(Session& session, const Error& why);

Label label_of(const std::string& severity);

}  // namespace vestige::cli
