// at: what a table or a row looked like then. A moment in the trail, and states at that moment.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/base/time.h"
#include "vestige/record/fold.h"
#include "vestige/trail/changes.h"

namespace vestige {

/// A place in the trail: just after a change, at a time, or now.
struct Moment {
  enum class Kind { change, time, now };
  Kind kind = Kind::now;
  std::int64_t value = 0;  // a change id, or microseconds
};

/// "17" (just after that change), "now", or a time (see parse_time).
///
/// faults   invalid
Result<Moment> parse_moment(std::string_view text, const Now& now);

/// The same, and names that the trail knows: "last" (the last change), "tx:12" (just after that transaction), each of them
/// and a change with "~3": three changes, or transactions, before; "~3" alone is "last~3". "17~" is just before change 17.
///
/// faults   invalid; missing: no such transaction
Result<Moment> find_moment(Database& db, std::string_view text, const Now& now);

/// The id of the last change that is included at a moment; 0 is before the first.
///
/// faults   missing: no change of that id
Result<std::int64_t> resolve(Database& db, const Moment& moment);

/// Rows in key order, pulled one at a time.
class States {
 public:
  States() = default;
  States(const States&) = delete;
  States& operator=(const States&) = delete;
  virtual ~States() = default;
  virtual Result<State> next() = 0;
};

/// Every row of a table at a moment, in key order, with the recorded columns of that time under
/// today's names.
///
/// cost     one scan of the table, merged with the sorted changes after the moment; memory constant
/// faults   missing, invalid: a table without a key
Result<std::unique_ptr<States>> at(Database& db, const std::string& table, const Moment& moment);

/// One row at a moment; nothing when it did not exist.
Result<State> at(Database& db, const std::string& table, const std::vector<std::string>& key,
                 const Moment& moment);

/// The error of a question about what a row was before a change whose values were erased.
tl::unexpected<Error> not_known(const std::string& attempt, const Change& change);

/// What is known of a row at a moment.
struct KnownState {
  State state;
  std::optional<Change> lost;  // the change whose values would be needed, and were erased
};

/// The same for a row that was named, just after change `upto`.
Result<KnownState> known_state(Database& db, const Tracked& table, const RowName& name,
                               std::int64_t upto);

/// The same for a row that was named, just after change `upto`: every column that is known, under
/// today's names.
///
/// faults   missing: a later change was erased (see not_known)
Result<State> state_of(Database& db, const Tracked& table, const RowName& name, std::int64_t upto);

/// When tracking of a table began, if a moment lies before that: what is shown of it then is the oldest
/// that is known.
Result<std::optional<std::int64_t>> began_after(Database& db, const std::string& table,
                                                const Moment& moment);

/// How much after a moment was erased: then not every row of it is known.
struct ErasedSince {
  std::int64_t changes = 0;
  std::int64_t keys = 0;  // of those: without a key now
};
Result<ErasedSince> erased_since(Database& db, const std::string& table, const Moment& moment);

/// The columns that were recorded at a moment, under today's names.
Result<std::vector<std::string>> columns_at(Database& db, const Tracked& table,
                                            const Moment& moment, std::int64_t upto);

/// Those columns of a row, in that order.
Row with_columns(const Row& row, const std::vector<std::string>& columns);

}  // namespace vestige
