// Times of the entries: a step of verify. Ids and times are taken together, so that a change that says it was made
// long before one with a smaller id was put in with a false time, or the clock was set back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "vestige/audit/verify_changes.h"

namespace vestige {

class TimeCheck {
 public:
  explicit TimeCheck(Verdict& verdict) : verdict_(verdict) {}

  /// The next entry, in the tree's order.
  ///
  /// cost  memory for each five minutes in which something was recorded
  void look(const StoredEntry& entry);

 private:
  struct Latest {
    std::int64_t at = 0;
    std::int64_t id = 0;
  };
  Verdict& verdict_;
  std::map<std::int64_t, Latest> latest_;  // by id; both ascend
};

/// When an entry's change was made, by its line; nothing when it is no entry, or its time could not be read.
std::optional<std::int64_t> entry_time(std::string_view line);

}  // namespace vestige
