// [keys.CLASS] of vestige.toml: for whom a class is encrypted, and from when on. Test: plan_test.cc, test/cli/plan_keys.txt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vestige/base/toml_file.h"
#include "vestige/db/database.h"

namespace vestige {

struct PlannedKey {
  std::string public_key;
  std::optional<std::int64_t> from;  // nothing: from whenever it is first applied
  bool operator==(const PlannedKey&) const = default;
};

/// What a plan says of a class: one key, whatever months come after it, or each with its time, the whole of what is and will be.
struct PlannedKeys {
  std::vector<PlannedKey> keys;  // in order of their times
  bool months = false;
};

/// recipient = "age1…", or recipients = [{ key = "age1…", from = "2026-12-01" }, …].
///
/// of       the class
/// faults   invalid
Result<PlannedKeys> read_planned_keys(const TomlMember& of);

/// What of a class has to be done, one step after the other.
struct KeyStep {
  enum class Kind { set, add, end, leave };
  Kind kind = Kind::leave;
  std::string of;
  std::string public_key;
  std::optional<std::int64_t> from = {};  // add
  std::int64_t id = 0;                    // end
  std::string text = {};                  // for people
};

/// installed   there is a trail to be compared with
/// prune       what follows a lone key and the plan does not name goes
Result<std::vector<KeyStep>> key_steps(Database& db, const std::string& of,
                                       const PlannedKeys& planned, bool installed, bool prune);

/// In the caller's transaction.
Result<void> take_step(Database& db, const KeyStep& step);

}  // namespace vestige
