// Times of the entries: a step of verify.
#pragma once

#include "vestige/audit/verify_changes.h"
#include "vestige/trail/entry_times.h"

namespace vestige {

class TimeCheck {
 public:
  explicit TimeCheck(Verdict& verdict);

  /// The next entry, in the tree's order: says of it from when on its time counts.
  void look(StoredEntry& entry);

  /// Whether a change was made when it says, as far as the entries tell.
  bool bears_out(std::int64_t id, std::int64_t at) const {
    return !times_.before(id, at).has_value();
  }

 private:
  Verdict& verdict_;
  EntryTimes times_;
};

}  // namespace vestige
