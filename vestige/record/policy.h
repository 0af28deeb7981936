// Policy: what is recorded of a tracked table, and what a change of it requires.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/base/result.h"

namespace vestige {

struct Policy {
  std::vector<std::string> include;            // only these columns (and the key); empty: all
  std::vector<std::string> exclude;            // all but these
  std::vector<std::string> redact;             // that they changed is recorded, their values never
  std::map<std::string, std::string> encrypt;  // column → class of keys that opens it
  std::string subject;                         // with encrypt: the column that says whose a row is
  std::string when;                  // SQL condition over NEW and OLD; empty: every change
  std::vector<std::string> require;  // context fields without which a change is refused
  std::vector<std::string> key;      // key columns; empty: the primary key
  bool full = false;                 // capture = "full": new_values of an UPDATE has every column
  std::string on_truncate;           // PostgreSQL: "rows" (empty means that), "mark" or "deny"
  std::string retention;
  std::string classification;
  std::vector<std::string> tags;

  bool operator==(const Policy&) const = default;
};

/// One JSON object; what is empty or default is left out.
std::string to_json(const Policy& policy);

/// faults   invalid: not a policy
Result<Policy> policy_from_json(std::string_view text);

}  // namespace vestige
