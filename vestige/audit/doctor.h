// doctor: what is out of order, what that means, and repairs.
#pragma once

#include <string>
#include <vector>

#include "vestige/db/database.h"

namespace vestige {

enum class Severity { note, warning, error };

/// note, warning, error
std::string_view name(Severity severity);

struct Finding {
  Severity severity = Severity::warning;
  std::string
      code;  // stable, for machines: "triggers-missing", "triggers-altered", "triggers-newer", "triggers-hide", "table-missing",
  // "table-renamed", "column-added", "column-renamed", "column-dropped",
  // "key-changed", "trail-altered", "context-left", "schema-version", "journal",
  // "synchronous", "clock-backward",
  // "row-index"
  std::string table;    // empty when it is about the whole database
  std::string message;  // what is wrong and what it means
  std::string remedy;   // what to do; empty for a note
  bool fixable = false;
  bool fixed = false;
};

/// Examines the trail; with `fix`, repairs what is safe in one transaction.
///
/// returns  findings, gravest first; those that were repaired have fixed = true
/// faults   missing: no trail here
Result<std::vector<Finding>> doctor(Database& db, bool fix);

}  // namespace vestige
