// EntryTimes: from when on an entry's time counts. Ids and times are taken together: a change that says it was made long before one with
// a smaller id was put in with a false time, or the clock was set back. verify names it, and expire counts its age from that other one.
// Test: test/expire_clock_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "vestige/trail/evidence_store.h"

namespace vestige {

/// By so much may the clocks of a database and its clients differ.
inline constexpr std::int64_t kClockSlack = 86'400'000'000;

class EntryTimes {
 public:
  struct Before {
    std::int64_t id = 0;
    std::int64_t at = 0;
  };

  /// now      entries that say they were made later than that, and the slack of clocks, are no measure of others
  explicit EntryTimes(std::int64_t now) : now_(now) {}

  /// The next entry, in the tree's order. Returns a change with a smaller id that was made much later; nothing: its time bears itself out.
  ///
  /// cost  memory for each five minutes in which something was recorded
  std::optional<Before> look(std::int64_t id, std::int64_t at);

  /// The same, of one that was looked at.
  std::optional<Before> before(std::int64_t id, std::int64_t at) const;

  /// Looks at the entries of the bundles below `end` that it did not see yet.
  Result<void> look_up_to(EvidenceStore& store, std::uint64_t end);

 private:
  struct Latest {
    std::int64_t at = 0;
    std::int64_t id = 0;
  };
  std::int64_t now_;
  std::uint64_t bundles_ = 0;              // that look_up_to saw
  std::map<std::int64_t, Latest> latest_;  // by id; both ascend
};

/// The last change that counts as made before `at`, by id, of those that stand and those that are sealed, whatever went of them; 0: none.
///
/// cost  reads every entry, twice
Result<std::int64_t> last_counted_before(Database& db, std::int64_t at);

/// When an entry's change was made, by its line; nothing when it is no entry, or its time could not be read.
std::optional<std::int64_t> entry_time(std::string_view line);

}  // namespace vestige
