// at: what a table or a row looked like then. A moment in the trail, and states at that moment.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/base/time.h"
#include "vestige/trail/past.h"

namespace vestige {

/// "17" (just after that change), "now", or a time (see parse_time).
///
/// faults   invalid
Result<Moment> parse_moment(std::string_view text, const Now& now);

/// The same, and names that the trail knows: "last" (the last change), "tx:12" (just after that transaction), each of them
/// and a change with "~3": three changes, or transactions, before; "~3" alone is "last~3". "17~" is just before change 17. What is none of these is the
/// name of a mark; "mark:monday" is one for sure.
///
/// faults   invalid; missing: no such transaction, no such mark
Result<Moment> find_moment(Database& db, std::string_view text, const Now& now);

/// The table, when it has the key without which no row is told from another.
///
/// faults   missing: not tracked, now or ever; invalid: without a key
Result<Tracked> table_with_key(Database& db, const std::string& name);

/// Every row of a table at a moment, in key order, with the recorded columns of that time under
/// today's names.
///
/// cost     one scan of the table, merged with the sorted changes after the moment; memory constant
/// faults   missing, invalid: a table without a key
Result<std::unique_ptr<States>> at(Database& db, const std::string& table, const Moment& moment);

/// One row at a moment; nothing when it did not exist.
Result<State> at(Database& db, const std::string& table, const std::vector<std::string>& key,
                 const Moment& moment);

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

/// Those columns of a row, in that order.
Row with_columns(const Row& row, const std::vector<std::string>& columns);

}  // namespace vestige
