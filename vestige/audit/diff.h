// diff: what differs in one row between two moments.
#pragma once

#include <string>
#include <vector>

#include "vestige/audit/at.h"

namespace vestige {

struct Diff {
  std::string table;
  Row key;
  State from;
  State to;
  std::vector<Difference> differences;
};

/// faults   missing, invalid
Result<Diff> diff(Database& db, const std::string& table, const std::vector<std::string>& key,
                  const Moment& from, const Moment& to);

}  // namespace vestige
