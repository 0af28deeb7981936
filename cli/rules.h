// What the verbs about rules have in common: rules, watch, alert.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/output.h"
#include "cli/session.h"
#include "cli/table.h"
#include "vestige/rules/alert.h"
#include "vestige/rules/rule.h"

namespace vestige::cli {

/// The rules of --file, or of the vestige.toml that holds here.
///
/// faults   invalid, missing (no file, or no rules in it)
Result<std::vector<Rule>> rules_here(const Session& session);

/// The database that --db, or the same file, names.
Result<Database*> rules_database(Session& session);

/// Why changes that have no place in the feed yet are not seen.
std::string said_hindrance(Session& session, const Error& why);

Label label_of(const std::string& severity);

/// Alerts as they are raised.
class AlertPrinter {
 public:
  explicit AlertPrinter(Session& session);
  void print(const Alert& alert);
  void end();

 private:
  Session& session_;
  std::optional<Table> table_;
};

}  // namespace vestige::cli
